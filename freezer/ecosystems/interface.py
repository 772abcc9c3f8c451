"""What a lock alone contains of a package ecosystem: packages, versions, needs, artifacts.

Lock, update, diff, why, fetch and the SBOM read these descriptions, so that none of them tells
Debian, conda and pip apart itself. Pure: what only other rooms know (the names in match specs,
which Python packages conda provides, what wheels require) comes in as a `Lookup`.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from packaging.version import InvalidVersion, Version

from freezer.model.artifact import Artifact

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from freezer.model.lock import BasePackage, CondaPackage, DebianPackage, Lock, PipPackage

    Package = PipPackage | CondaPackage | DebianPackage | BasePackage


@dataclass(frozen=True, order=True)
class Key:
    """A package of a lock: its ecosystem, its name, and for ``build`` whose build needs it."""

    ecosystem: str
    """``base``, ``debian``, ``conda`` or ``pip``; ``build`` for the wheels that the build of a
    source distribution needs, which are not in the image."""
    name: str
    of: str = ""

    def __str__(self) -> str:
        """Return the name, with the ecosystem that it is from."""
        return f"{self.name} ({f'build of {self.of}' if self.of else self.ecosystem})"


@dataclass(frozen=True)
class Need:
    """One package needs another."""

    by: Key
    wanted: tuple[str, ...] = ()
    """The version ranges that it accepts, as it writes them, an empty text for any; none where that
    is not known."""


@dataclass(frozen=True)
class Lookup:
    """What a lock alone does not contain."""

    spec_names: Mapping[str, str] = field(default_factory=dict)
    """Match spec of conda to the package that it is about."""
    provided_by_conda: Mapping[str, str] = field(default_factory=dict)
    """Python package to the conda package that provides it."""
    wheels: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    """Python package to what its wheel requires on the target: name to version ranges, an empty
    text for any version."""


class Ecosystem(ABC):
    """A kind of packages that a lock holds."""

    name: ClassVar[str]
    """As in ``answers`` of a lock and in reports: ``debian``."""
    noun: ClassVar[str]
    """Before a package's name in a sentence: ``Debian package``."""
    provides_python: ClassVar[bool] = False
    """Whether the image's Python may come from it."""

    title: ClassVar[str]
    """Before a package's name in a list of moves, with a blank at its end unless it is empty."""

    def packages(self, lock: Lock) -> Sequence[Package]:
        """Return the packages of a lock, sorted by name: the lock's field of this name."""
        found: Sequence[Package] = getattr(lock, self.name)
        return found

    def other_platforms(self, lock: Lock) -> Mapping[str, Sequence[Package]]:
        """Return what is locked for further platforms, by platform; it is in no image."""
        del lock
        return {}

    def declared(self, lock: Lock) -> Mapping[str, str]:
        """Return the solver's input about the target beyond the platform."""
        del lock
        return {}

    def own_name(self, name: str) -> str:
        """Return a name as this ecosystem writes it, for comparing with names in a lock."""
        return name

    def version(self, package: Package) -> str:
        """Return the version as reports show it, with the build where one version has several."""
        return package.version

    def order(self, version: str) -> Any:
        """Return what `version` texts are compared by."""
        return loose_order(version)

    def versions(self, packages: Iterable[Package]) -> dict[str, str]:
        """Return name to `version`."""
        return {package.name: self.version(package) for package in packages}

    def pins(self, packages: Iterable[Package]) -> dict[str, tuple[str, str]]:
        """Return name to version and SHA-256: packages with the same pin have the same bytes."""
        return {p.name: (self.version(p), getattr(p, "sha256", "")) for p in packages}

    def movable(self, lock: Lock) -> dict[str, str]:
        """Return what an update can move, by name, and the version that it has."""
        return self.versions(self.packages(lock))

    def artifacts(self, lock: Lock) -> Iterator[Artifact]:
        """Yield the files that the image is made of."""
        for package in self.packages(lock):
            if isinstance(package, Artifact):
                yield package

    @abstractmethod
    def needs(self, package: Package, other: Package) -> bool:
        """Say whether a package needs another one of the same ecosystem directly."""

    @abstractmethod
    def edges(self, lock: Lock, known: Lookup) -> Iterator[tuple[Key, Need]]:
        """Yield what needs what: the package that is needed, and who needs it.

        Ends that are not locked (``__glibc``) may be among them.
        """

    def keys(self, lock: Lock) -> Iterator[tuple[Key, Package]]:
        """Yield each package with its key."""
        for package in self.packages(lock):
            yield Key(self.name, package.name), package


def loose_order(text: str) -> tuple[Any, ...]:
    """Return what orders versions whose scheme is not known: PEP 440, else by their numbers."""
    version, _, build = text.partition(" ")
    try:
        parsed = Version(version)
    except InvalidVersion:
        return (0, [int(number) for number in re.findall(r"\d+", version)], version, build)
    return (1, parsed, build)

"""What a resolver of Python packages is: a question in, pinned and hashed files out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from packaging.utils import canonicalize_name

from freezer.resolve.python.markers import marker_holds
from freezer.resolve.python.tags import marker_environment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from packaging.requirements import Requirement

    from freezer.errors import Where
    from freezer.fetch.python.settings import Indexes
    from freezer.fetch.store.store import Store
    from freezer.model.events import Reporter
    from freezer.model.lock import PipPackage, Target


@dataclass(frozen=True)
class PipRequirement:
    """One requirement or constraint, and where it was written."""

    requirement: Requirement
    where: Where
    hashes: tuple[str, ...] = ()
    """SHA-256 of the files that are acceptable, as given with ``--hash``; empty: any."""
    name: str = field(init=False, compare=False)
    """The normalised name."""

    def __post_init__(self) -> None:
        """Normalise the name once: it is looked up for every package of an answer."""
        object.__setattr__(self, "name", canonicalize_name(self.requirement.name))

    def applies(self, target: Target) -> bool:
        """Return whether its marker holds on the target."""
        marker = self.requirement.marker
        return marker is None or marker_holds(marker, marker_environment(target))


@dataclass(frozen=True)
class Provided:
    """A Python package that another ecosystem has installed already."""

    version: str
    """By PEP 440."""
    package: str
    """What that ecosystem calls it."""
    by: str
    """In words, for messages: ``conda's pytorch 2.5.1 cuda126_py311 (asked for in ...)``."""


@dataclass(frozen=True)
class PipRequest:
    """Everything that a resolver may look at."""

    target: Target
    requirements: tuple[PipRequirement, ...]
    as_of: str
    """UTC, ``YYYY-MM-DDTHH:MM:SSZ``: files uploaded later are not considered."""
    indexes: Indexes
    constraints: tuple[PipRequirement, ...] = ()
    overrides: tuple[PipRequirement, ...] = ()
    """Requirements that take the place of all others on the same package, whoever has them."""
    keep: Mapping[str, str] = field(default_factory=dict)
    """Normalised name to version: kept wherever it still answers."""
    newer: Mapping[str, str] = field(default_factory=dict)
    """Normalised name to a later cut-off than ``as_of``, for single packages."""
    allow_sdist: frozenset[str] = frozenset()
    """Normalised names of packages that may be locked as source distributions."""
    prereleases: bool = False
    """Whether a requirements file says ``--pre``."""
    stable: bool = False
    """Whether a pre-release that no requirement names is out of question, as far as a resolver can
    be told."""
    undated: bool = True
    """Whether files of which no date is known may be considered where nothing dated answers; where
    not, then still those of packages that are to have one version, and that version has no date."""
    provided: Mapping[str, Provided] = field(default_factory=dict)
    """Normalised name to what is there already, which pip must neither replace nor fetch."""
    stand_ins: str | None = None
    """Among ``indexes.find_links``: the one with stand-ins of what is held."""

    def by_name(self) -> dict[str, list[PipRequirement]]:
        """Return the requirements by name, without those whose marker excludes the target."""
        found: dict[str, list[PipRequirement]] = {}
        for item in self.requirements:
            if item.applies(self.target):
                found.setdefault(item.name, []).append(item)
        return found

    def cut_off(self, name: str) -> str:
        """Return up to when files of a package (normalised name) are considered."""
        return max(self.as_of, self.newer.get(name, self.as_of))


@dataclass(frozen=True)
class Resolution:
    """An answer: packages sorted by name, and what the user should know about it."""

    packages: tuple[PipPackage, ...]
    warnings: tuple[str, ...] = ()
    causes: Mapping[str, str] = field(default_factory=dict)
    """Of an update, by name: why a package moved that the update does not name."""
    alone: Mapping[str, str] = field(default_factory=dict)
    """Of an update: the versions that the named ones reach if nothing else moves."""


class PipSession(Protocol):
    """One question, and others that differ from it only in what is kept and in constraints.

    What was read of the indexes for one of them is there for the next.
    """

    def versions(self, request: PipRequest) -> Mapping[str, str]:
        """Return the version of each package, and look at no file. Raises as ``resolve``."""

    def resolve(self, request: PipRequest) -> Resolution:
        """Return one file for each package. Raises ``ResolveError`` saying why there is none."""


class PipResolver(Protocol):
    """Answers requests; its packages carry the reasons ``requested in`` and ``needed by``."""

    def session(
        self, request: PipRequest, *, store: Store, report: Reporter
    ) -> AbstractContextManager[PipSession]:
        """Give a session for a request, as long as the block lasts."""

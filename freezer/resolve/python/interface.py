"""Interface of the Python resolvers: requests in, pinned and hashed files out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from packaging.utils import canonicalize_name

from freezer.fetch.python.pages import IndexPages
from freezer.resolve.python.markers import marker_holds
from freezer.resolve.python.tags import marker_environment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from packaging.requirements import Requirement

    from freezer.errors import Where
    from freezer.fetch.python.index import PythonIndex
    from freezer.fetch.python.settings import Indexes
    from freezer.fetch.store.store import Store
    from freezer.model.events import Reporter
    from freezer.model.lock import PipPackage, Target


@dataclass(frozen=True)
class PipRequirement:
    """One requirement or constraint with its location."""

    requirement: Requirement
    where: Where
    hashes: tuple[str, ...] = ()
    """SHA-256 of the acceptable files, from ``--hash``; empty: any file."""
    name: str = field(init=False, compare=False)
    """The normalised name."""

    def __post_init__(self) -> None:
        """Normalise the name once: it is compared with every package of a resolution."""
        object.__setattr__(self, "name", canonicalize_name(self.requirement.name))

    def applies(self, target: Target) -> bool:
        """Return whether its marker holds for the target."""
        marker = self.requirement.marker
        return marker is None or marker_holds(marker, marker_environment(target))


@dataclass(frozen=True)
class Provided:
    """A Python package that another ecosystem installs."""

    version: str
    """A PEP 440 version."""
    package: str
    """Its name in that ecosystem."""
    by: str
    """For messages: ``conda's pytorch 2.5.1 cuda126_py311 (asked for in ...)``."""


@dataclass(frozen=True)
class PipRequest:
    """All inputs of a resolution."""

    target: Target
    requirements: tuple[PipRequirement, ...]
    as_of: str
    """UTC, ``YYYY-MM-DDTHH:MM:SSZ``: files uploaded later are not considered."""
    indexes: Indexes
    constraints: tuple[PipRequirement, ...] = ()
    overrides: tuple[PipRequirement, ...] = ()
    """Requirements that replace all others on the same package."""
    keep: Mapping[str, str] = field(default_factory=dict)
    """Normalised name to preferred version."""
    newer: Mapping[str, str] = field(default_factory=dict)
    """Normalised name to a later cut-off than ``as_of``, for single packages."""
    allow_sdist: frozenset[str] = frozenset()
    """Normalised names of packages that may be locked as source distributions."""
    prereleases: bool = False
    """Whether a requirements file has ``--pre``."""
    stable: bool = False
    """Whether pre-releases that no requirement names are excluded, as far as the resolver can."""
    undated: bool = True
    """Whether undated files may be considered when dated ones have no solution. Those of a pinned
    version without any dated file always may."""
    provided: Mapping[str, Provided] = field(default_factory=dict)
    """Normalised name to packages of other ecosystems, which pip must neither replace nor fetch."""
    stand_ins: str | None = None
    """The entry of ``indexes.find_links`` with the stand-ins."""
    pages: IndexPages = field(default_factory=IndexPages, compare=False, repr=False)
    """Where pages of indexes are kept once they were read."""

    @property
    def index(self) -> PythonIndex:
        """The request's indexes as one source."""
        return self.pages.of(self.indexes)

    def by_name(self) -> dict[str, list[PipRequirement]]:
        """Return the requirements by name, without those whose marker excludes the target."""
        found: dict[str, list[PipRequirement]] = {}
        for item in self.requirements:
            if item.applies(self.target):
                found.setdefault(item.name, []).append(item)
        return found

    def cut_off(self, name: str) -> str:
        """Return the cut-off for files of a package (normalised name)."""
        return max(self.as_of, self.newer.get(name, self.as_of))


@dataclass(frozen=True)
class Resolution:
    """A solution: packages sorted by name, and warnings."""

    packages: tuple[PipPackage, ...]
    warnings: tuple[str, ...] = ()
    causes: Mapping[str, str] = field(default_factory=dict)
    """For an update, by name: why a package changed that the update does not name."""
    alone: Mapping[str, str] = field(default_factory=dict)
    """For an update: the versions that the named packages reach when nothing else may change."""


class PipSession(Protocol):
    """Resolves one request several times, with other preferences and constraints.

    What was read from the indexes is reused.
    """

    def versions(self, request: PipRequest) -> Mapping[str, str]:
        """Return the version of each package, without selecting files. Raises as ``resolve``.

        The error of a conflict may be an ``UnexplainedError``.
        """

    def resolve(self, request: PipRequest) -> Resolution:
        """Return one file for each package. Raises ``ResolveError`` with the conflict."""


class PipResolver(Protocol):
    """Resolves requests; its packages have reasons ``asked for in`` and ``needed by``."""

    def session(
        self, request: PipRequest, *, store: Store, report: Reporter
    ) -> AbstractContextManager[PipSession]:
        """Open a session for a request, a context manager."""

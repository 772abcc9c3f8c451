"""How far a resolver may look: at wheels that are dated, and then, only as needed, further."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from freezer.resolve.python.index.releases import fitting, releases
from freezer.resolve.python.locked import require_allowed

if TYPE_CHECKING:
    from freezer.fetch.python.index import PythonIndex
    from freezer.resolve.python.interface import PipRequest


@dataclass(frozen=True)
class Scope:
    """What a resolver may look at beyond wheels that are dated."""

    sdists: frozenset[str] = frozenset()
    """Normalised names that are taken as source distributions."""
    undated: bool = False
    """Whether files count of which no index says when they were uploaded."""
    served: bool = False
    """Whether Freezer stands between resolver and indexes, to make up for what these lack."""

    def with_sdists(self, request: PipRequest, blamed: frozenset[str]) -> Scope | None:
        """Return the attempt that takes those of the blamed packages from source that may be."""
        more = (blamed & request.allow_sdist) - self.sdists
        return replace(self, sdists=self.sdists | more) if more else None

    def with_undated(self) -> Scope | None:
        """Return the attempt at which files without a date count, if they did not yet."""
        return None if self.undated else replace(self, undated=True, served=True)

    def with_server(self) -> Scope | None:
        """Return the attempt with Freezer in between, if it was not yet."""
        return None if self.served else replace(self, served=True)


def first_scope(request: PipRequest, index: PythonIndex) -> Scope:
    """Return what to try first: wheels, where a package has any in some version.

    An allowed package without any is taken from source at once: else a package with an extra that
    needs it would silently be taken at a version from before it had that extra. Raises
    ``ResolveError`` for a URL of a source distribution that is not allowed.
    """
    never = frozenset(
        name
        for name in request.allow_sdist
        if not fitting(releases(index, name, request.cut_off(name)), request.target)
    )
    # Only Freezer's own server takes a single project from an index of its own.
    served = bool(request.indexes.pinned)
    return Scope(require_allowed(request) | never, served=served)

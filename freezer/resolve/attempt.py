"""How far a resolver may look: at wheels that are dated, and then, only as needed, further."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.resolve.locked import demand_allowed
from freezer.resolve.offer import fitting, releases

if TYPE_CHECKING:
    from freezer.fetch.pypi import PythonIndex
    from freezer.resolve.interface import PipRequest


@dataclass(frozen=True)
class Attempt:
    """What a resolver may look at beyond wheels that are dated."""

    sdists: frozenset[str] = frozenset()
    """Normalised names that are taken as source distributions."""
    undated: bool = False
    """Whether files count of which no index says when they were uploaded."""

    def wider(self, request: PipRequest, blamed: frozenset[str], undated: bool) -> Attempt | None:
        """Return what to try next, or None when nothing is left that the request allows.

        ``blamed`` are the packages that had no wheel; ``undated`` says whether files were left out
        because no date is known of them.
        """
        if more := (blamed & request.allow_sdist) - self.sdists:
            return Attempt(self.sdists | more, self.undated)
        return Attempt(self.sdists, undated=True) if undated and not self.undated else None


def first_attempt(request: PipRequest, index: PythonIndex) -> Attempt:
    """Return what to try first: wheels, where a package has any in some version.

    An allowed package without any is taken from source at once: else a package with an extra that
    needs it would silently be taken at a version from before it had that extra. Raises
    ``ResolveError`` for a URL of a source distribution that is not allowed.
    """
    never = frozenset(
        name
        for name in request.allow_sdist
        if not fitting(releases(index, name, request.as_of), request.target)
    )
    return Attempt(demand_allowed(request) | never)

"""Resolve session: the scope of a resolver, and the index served to it.

The local index and its cache stay open while one request is resolved several times: reading the
pages of a hundred packages takes longer than resolving them.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from freezer.errors import ResolveError
from freezer.resolve.python.index.releases import fitting, releases

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from freezer.fetch.python.index import PythonIndex
    from freezer.fetch.store.store import Store
    from freezer.resolve.python.index.dated import DatedIndex
    from freezer.resolve.python.index.local_server import LocalIndex
    from freezer.resolve.python.interface import PipRequest


@dataclass(frozen=True)
class Scope:
    """What a resolver may consider beyond wheels with a known date."""

    sdists: frozenset[str] = frozenset()
    """Normalised names of packages to use as source distributions."""
    undated: bool = False
    """Whether files without an upload date are considered."""
    served: bool = False
    """Whether Freezer serves the indexes, to add what these lack."""

    def with_sdists(self, request: PipRequest, blamed: frozenset[str]) -> Scope | None:
        """Return the scope with those blamed packages as sdists that the request allows."""
        more = (blamed & request.allow_sdist) - self.sdists
        return replace(self, sdists=self.sdists | more) if more else None

    def with_undated(self) -> Scope | None:
        """Return the scope with files without a date, if it had none yet."""
        return None if self.undated else replace(self, undated=True, served=True)

    def with_server(self) -> Scope | None:
        """Return the scope with Freezer's server, if it had none yet."""
        return None if self.served else replace(self, served=True)


def first_scope(request: PipRequest, index: PythonIndex) -> Scope:
    """Return the first scope to try: wheels, for all packages that have any.

    An allowed package without any wheel is used as an sdist at once; otherwise a package with an
    extra that depends on it would silently be resolved to a version from before that extra. Raises
    ``ResolveError`` for a URL of an sdist that is not allowed.
    """
    never = frozenset(
        name
        for name in request.allow_sdist
        if not fitting(releases(index, name, request.cut_off(name)), request.target)
    )
    # Only Freezer's own server can serve a single project from an index of its own.
    served = bool(request.indexes.pinned)
    return Scope(require_allowed(request) | never, served=served)


def require_allowed(request: PipRequest) -> frozenset[str]:
    """Return the URL requirements that are sdists; all must be allowed by name.

    Raises ``ResolveError`` for one that is not.
    """
    found = set()
    for name, mine in request.by_name().items():
        for item in mine:
            address = (item.requirement.url or "").partition("#")[0]
            if not address or address.endswith(".whl"):
                continue
            if name not in request.allow_sdist:
                raise ResolveError(
                    f"the file that {name} names is a source distribution",
                    where=item.where,
                    expected="a wheel: nothing is built from source unless the spec allows it",
                    hint=f"name a wheel, or allow it: `pip: {{allow-sdist: [{name}]}}`",
                )
            found.add(name)
    return frozenset(found)


@dataclass(frozen=True)
class Served:
    """The merged index of a request, served on this machine."""

    dated: DatedIndex
    address: str
    local: LocalIndex
    cache: Path
    """The resolver's cache folder; its keys are URLs, and this URL is never reused."""


class IndexSession:
    """Serves the indexes of a request on this machine until the session ends.

    Preferences and constraints do not affect an index, so one request stands for all.
    """

    def __init__(self, request: PipRequest, store: Store) -> None:
        self._request, self._store = request, store
        self._open: dict[bool, Served] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def served(self, *, undated: bool) -> Served:
        """Return the index with or without undated files."""
        if undated not in self._open:
            # Imported late: most requests are resolved on the indexes themselves.
            from freezer.resolve.python.index.dated import DatedIndex
            from freezer.resolve.python.index.local_server import serving

            dated = DatedIndex(self._request, undated=undated)
            cache = self._stack.enter_context(self._store.scratch())
            address, local = self._stack.enter_context(serving(dated))
            self._open[undated] = Served(dated, address, local, cache)
        return self._open[undated]

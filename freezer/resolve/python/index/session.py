"""One resolve session: how far a resolver may look, and the index that is served to it.

The local index and its cache stay open while one request is resolved in several ways: to read the
pages of a hundred packages takes longer than to resolve them.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from freezer.errors import ResolveError
from freezer.resolve.python.index.dated import DatedIndex
from freezer.resolve.python.index.local_server import serving
from freezer.resolve.python.index.releases import fitting, releases

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from freezer.fetch.python.index import PythonIndex
    from freezer.fetch.store.store import Store
    from freezer.resolve.python.index.local_server import Loopback
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


def require_allowed(request: PipRequest) -> frozenset[str]:
    """Return the URL requirements that are source distributions; all must be allowed by name.

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
    """The indexes of a request as one, on this machine."""

    dated: DatedIndex
    address: str
    loopback: Loopback
    cache: Path
    """A folder for what a resolver caches: by address, which is another each time."""


class IndexSession:
    """Serves the indexes of a request on this machine until the session ends.

    What is kept and constrained makes no difference to an index: one request stands for all.
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
        """Return the index with files of no known date, or without; as if it never had failed."""
        if undated not in self._open:
            dated = DatedIndex(self._request, undated=undated)
            cache = self._stack.enter_context(self._store.scratch())
            address, loopback = self._stack.enter_context(serving(dated))
            self._open[undated] = Served(dated, address, loopback, cache)
        found = self._open[undated]
        found.loopback.failure = None
        return found

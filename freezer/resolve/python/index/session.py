"""What stays open while one question is asked in several ways: a served index, a cache.

To read the pages of a hundred packages takes longer than to resolve them.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from freezer.resolve.python.index.dated import DatedIndex
from freezer.resolve.python.index.local_server import serving

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from freezer.fetch.store.store import Store
    from freezer.resolve.python.index.local_server import Loopback
    from freezer.resolve.python.interface import PipRequest


@dataclass(frozen=True)
class Served:
    """The indexes of a request as one, on this machine."""

    dated: DatedIndex
    address: str
    loopback: Loopback
    cache: Path
    """A folder for what a resolver caches: by address, which is another each time."""


class IndexSession:
    """Serves what is asked for, and closes it in the end.

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

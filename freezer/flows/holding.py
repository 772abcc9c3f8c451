"""One freeze at a time for each environment: whoever changes its lock or its history holds it."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from freezer.flows.spec import LOCKS
from freezer.model.canonical import digest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freezer.flows.sources import Workshop

_PATIENCE: Final = 3600.0
"""Seconds to wait for another freeze that works on the same environment."""


class _Held(threading.local):
    def __init__(self) -> None:
        self.keys: set[str] = set()


_held: Final = _Held()


@contextmanager
def holding(workshop: Workshop, name: str) -> Iterator[None]:
    """Hold an environment; a block within such a block goes straight on.

    Raises ``BusyError`` when another process holds it for an hour.
    """
    folder = workshop.project / LOCKS / name
    key = digest(str(folder.resolve()).encode())[:16]
    if key in _held.keys:
        yield
        return
    with workshop.store.lock(f"lock-{key}", timeout=_PATIENCE, report=workshop.report):
        _held.keys.add(key)
        try:
            yield
        finally:
            _held.keys.discard(key)

"""The exclusive lock of an environment: one process at a time may change its lock or history."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from freezer.flows.project.environment import LOCKS
from freezer.model.canonical import digest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freezer.flows.project.project import Project

_PATIENCE: Final = 3600.0
"""Seconds to wait for another process that works on the same environment."""


class _Held(threading.local):
    def __init__(self) -> None:
        self.keys: set[str] = set()


_held: Final = _Held()


@contextmanager
def exclusive_lock(project: Project, name: str) -> Iterator[None]:
    """Hold an environment's lock file. Reentrant: a block within such a block goes straight on.

    Raises ``BusyError`` when another process holds it for an hour.
    """
    folder = project.root / LOCKS / name
    key = digest(str(folder.resolve()).encode())[:16]
    if key in _held.keys:
        yield
        return
    with project.store.lock(f"lock-{key}", timeout=_PATIENCE, report=project.report):
        _held.keys.add(key)
        try:
            yield
        finally:
            _held.keys.discard(key)

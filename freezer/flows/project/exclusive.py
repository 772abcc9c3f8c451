"""One freeze at a time for each environment: whoever changes its lock or its history holds it."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from freezer.errors import FreezerError
from freezer.flows.project.environment import LOCKS
from freezer.history.switch import Switch, apply, begun, end
from freezer.model.canonical import digest
from freezer.model.lockfile import short_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freezer.flows.project.project import Project

_PATIENCE: Final = 3600.0
"""Seconds to wait for another freeze that works on the same environment."""


class _Held(threading.local):
    def __init__(self) -> None:
        self.keys: set[str] = set()


_held: Final = _Held()


@contextmanager
def exclusive_lock(project: Project, name: str) -> Iterator[None]:
    """Hold an environment; a block within such a block goes straight on.

    Ends first a rollback that was killed. Raises ``BusyError`` when another process holds it for
    an hour, ``HistoryError`` when that rollback cannot be ended.
    """
    folder = project.root / LOCKS / name
    key = digest(str(folder.resolve()).encode())[:16]
    if key in _held.keys:
        yield
        return
    with project.store.lock(f"lock-{key}", timeout=_PATIENCE, report=project.report):
        _held.keys.add(key)
        try:
            finish_switch(project, name)
            yield
        finally:
            _held.keys.discard(key)


def finish_switch(project: Project, name: str) -> None:
    """End a rollback that was begun; the caller holds the environment. Raises ``HistoryError``."""
    folder = project.root / LOCKS / name
    switch = begun(folder, f"{LOCKS}/{name}")
    if switch is None:
        return
    project.report.note(
        f"Ending a rollback of {name} to lock {short_id(switch.lock_id)} that was cut off"
    )
    carry_out(project, name, switch)


def carry_out(project: Project, name: str, switch: Switch) -> None:
    """Do a switch whose journal is written, and remove the journal."""
    folder = project.root / LOCKS / name
    apply(folder, switch, f"{LOCKS}/{name}")
    _tag(project, switch)
    end(folder)


def _tag(project: Project, switch: Switch) -> None:
    """Point the tags at the image. The lock is what counts; `freeze build` sets tags as well."""
    repository = switch.name
    try:
        engine = project.engine()
        for tag in (short_id(switch.lock_id), "latest"):
            engine.tag(switch.image, repository, tag)
    except FreezerError as error:
        project.report.warn(
            f"{repository}:latest does not name the image of the current lock yet ({error.what}); "
            f"run `freeze build {repository}`"
        )

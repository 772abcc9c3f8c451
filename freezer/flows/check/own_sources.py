"""The files of a user's own training, as the lock names them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from freezer.flows.project.project import Project
    from freezer.model.lock import Lock

_LARGEST: Final = 1_000_000
"""Bytes of a file that is searched for names of operations."""


def own_sources(project: Project, lock: Lock) -> tuple[str, ...]:
    """Return the texts of a lock's own training; empty for built-in trainings alone."""
    if not lock.smoke.command:
        return ()
    from freezer.flows.project.user_files import fetch_user_files

    fetch_user_files(project, lock)
    kept = [file for file in lock.smoke.files if project.store.has(file.sha256)]
    paths = [project.store.path(file.sha256) for file in kept if file.size <= _LARGEST]
    return tuple(path.read_text("utf-8", "replace") for path in paths)

"""Generations of an environment's lock: recorded when it changes, and read back whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from freezer.errors import FreezerError, LockError
from freezer.flows.history.entries import new_generation, summary_of
from freezer.flows.history.lock_files import (
    files_to_keep,
    hashes,
    references_to_keep,
    restore_smoke_files,
    smoke_files,
    stored_files,
)
from freezer.flows.history.opened import open_history
from freezer.flows.history.recorded import ensure_stored
from freezer.flows.project.environment import LOCKS, Locked, read_lock
from freezer.flows.project.image_runtime import keep_runtime
from freezer.history.archive import SMOKE, archived, keep, keep_plan
from freezer.history.changes import changes
from freezer.history.log import read_history
from freezer.history.stored import recorded_exports
from freezer.model.lockfile import LOCK_FILE

if TYPE_CHECKING:
    from pathlib import Path

    from freezer.flows.history.opened import OpenHistory
    from freezer.flows.project.project import Project
    from freezer.history.log import History
    from freezer.model.generation import Action, Generation

EXPORTS: Final = "the files exported from the lock were written anew"
ADOPTED: Final = "was here already: put here by git, by hand, or before there was a history"


def shown_folder(name: str) -> str:
    """Return an environment's lock folder as messages show it."""
    return f"{LOCKS}/{name}"


def history(project: Project, name: str) -> History:
    """Return an environment's history; an empty one before its first generation.

    Raises ``HistoryError`` when it was edited, or two branches were not joined.
    """
    return read_history(project.root / LOCKS / name, shown_folder(name))


def current(project: Project, name: str) -> Generation | None:
    """Return the generation of the lock that is current; None when that is not in the history.

    Raises ``HistoryError``, and ``LockError`` for a lock that cannot be read.
    """
    head = history(project, name).head
    locked = read_lock(project.root, name)
    return head if head and locked and head.lock_id == locked.id else None


def generation(project: Project, name: str, number: int | str) -> Locked:
    """Return the lock of a generation, verified, in a folder that can be built and checked from.

    ``number`` is a generation's number, or the first digits of its lock ID. Raises
    ``HistoryError`` when there is none, or its lock was edited or is gone.
    """
    found = history(project, name).find(number)
    return locked_of(project, name, found)


def locked_of(project: Project, name: str, one: Generation) -> Locked:
    """Return the lock of a generation, verified. Raises ``HistoryError``."""
    kept = archived(project.root / LOCKS / name, one.lock_id, shown_folder(name))
    restore_smoke_files(project.store, kept.lock, kept.folder / SMOKE)
    return Locked(kept.lock, kept.id, kept.folder)


def adopt(opened: OpenHistory, *, renewed: str | None = None) -> Generation | None:
    """Record a lock that is here and is not the last generation's; return the current one.

    Keeps as well the references that came since, and puts back files that are gone; ``renewed`` is
    the numerics class of which a reference has just been recorded anew. None where there is no
    lock, or none that can be read. Raises ``HistoryError``.
    """
    try:
        locked = read_lock(opened.project.root, opened.name)
    except LockError:
        return None  # `freeze lock --upgrade` starts afresh over it
    if locked is None:
        return None
    head = opened.past.head
    if head is None or head.lock_id != locked.id:
        head = _add(opened, locked, action="lock", summary=_adopted(opened, locked))
    else:
        _keep(opened, locked, files_to_keep(locked, opened.past))
    ensure_stored(opened.project, locked, opened.past, renewed=renewed)
    return head


def adopted_history(project: Project, name: str) -> History:
    """Return an environment's history once the lock that is here is in it; see `adopt`."""
    with open_history(project, name) as opened:
        adopt(opened)
        return opened.past


def _adopted(opened: OpenHistory, locked: Locked) -> str:
    """Return the summary of a lock that no freeze recorded: how it differs from the last one."""
    head = opened.past.head
    if head is None or head.lock_id == locked.id:
        return ADOPTED
    try:
        before = locked_of(opened.project, opened.name, head).lock
    except FreezerError:  # the lock is recorded all the same; `freeze log --verify` reports this
        return ADOPTED
    return f"{ADOPTED}; {summary_of(list(changes(before, locked.lock)))}"


def record_generation(
    opened: OpenHistory,
    locked: Locked,
    *,
    action: Action,
    summary: str,
    reason: str | None = None,
    plan: bytes | None = None,
) -> Generation:
    """Record a lock that this command has just written, and keep it whole; return its generation.

    ``plan`` is the file of a plan to keep with it. Nothing is recorded where neither the lock nor
    an export changed. Raises ``HistoryError``.
    """
    head, past = opened.past.head, opened.past
    if head is None or head.lock_id != locked.id:
        head = _add(opened, locked, action=action, summary=summary, reason=reason, plan=plan)
    else:
        exports = hashes(stored_files(locked.folder))
        recorded = {LOCK_FILE: locked.id, **recorded_exports(past, locked.id)}
        if head.files and exports != recorded:
            head = _add(
                opened, locked, action=action, summary=EXPORTS, reason=reason, plan=plan, anew=True
            )
        else:
            _keep(opened, locked, files_to_keep(locked, past))
    ensure_stored(opened.project, locked, opened.past)
    return head


def _add(
    opened: OpenHistory,
    locked: Locked,
    *,
    action: Action,
    summary: str,
    reason: str | None = None,
    plan: bytes | None = None,
    anew: bool = False,
) -> Generation:
    """Add a generation; with ``anew`` its exports take the place of those that were kept."""
    kept = _keep(opened, locked, stored_files(locked.folder), anew=anew)
    entry = new_generation(
        opened.project,
        opened.past,
        locked.id,
        action=action,
        files=hashes(stored_files(kept)),
        summary=summary,
        reason=reason,
        plan=None if plan is None else keep_plan(locked.folder, plan),
    )
    opened.add(entry)
    return entry


def _keep(
    opened: OpenHistory, locked: Locked, files: dict[str, bytes], *, anew: bool = False
) -> Path:
    """Keep a lock whole in the history; return its folder there."""
    store = opened.project.store
    keep_runtime(opened.project, locked.lock)
    references = references_to_keep(locked, opened.past)
    smoke = smoke_files(store, locked.lock)
    return keep(locked.folder, locked.id, files, references, smoke, replace=anew)

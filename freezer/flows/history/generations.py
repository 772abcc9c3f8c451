"""Generations of an environment's lock: recorded when it changes, and taken out again whole."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from freezer.ecosystems import INSTALLED
from freezer.errors import FreezerError, LockError
from freezer.flows.history.lock_files import (
    hashes,
    restore_smoke_files,
    smoke_files,
    stored_files,
    stored_references,
)
from freezer.flows.project.environment import LOCKS, Environment, Locked, read_lock
from freezer.flows.project.exclusive import exclusive_lock
from freezer.flows.project.git import author, one_line
from freezer.flows.project.image_runtime import keep_runtime
from freezer.history.archive import SMOKE, archived, keep
from freezer.history.changelog import write_changelog
from freezer.history.changes import changes
from freezer.history.log import History, append, read_history
from freezer.model.generation import Action, Generation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.flows.project.project import Project
    from freezer.model.lock import Lock

ADOPTED: Final = "was here already: put here by git, by hand, or before there was a history"
_MOST_CHANGES: Final = 6
"""Changes that a summary names."""


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


def adopt(project: Project, name: str) -> Generation | None:
    """Record a lock that is here and is not the last generation's; return the current one.

    Keeps as well the references that came since. None where there is no lock, or none that can
    be read. Raises ``HistoryError``.
    """
    with exclusive_lock(project, name):
        try:
            locked = read_lock(project.root, name)
        except LockError:
            return None  # `freeze lock --upgrade` starts afresh over it
        if locked is None:
            return None
        return _record(project, locked, action="lock", summary=_found(project, locked))


def _found(project: Project, locked: Locked) -> str:
    """Say of a lock that no freeze recorded how it differs from the last one."""
    name = locked.lock.name
    head = history(project, name).head
    if head is None or head.lock_id == locked.id:
        return ADOPTED
    try:
        before = locked_of(project, name, head).lock
    except FreezerError:  # the lock is recorded all the same; `freeze log --verify` says this
        return ADOPTED
    return f"{ADOPTED}; {summary_of(list(changes(before, locked.lock)))}"


def record_generation(
    project: Project,
    environment: Environment | str,
    *,
    action: Action,
    summary: str,
    reason: str | None = None,
    deviation: bool = False,
    written: Locked | None = None,
) -> Generation:
    """Record the lock that is current now, and keep it whole; return its generation.

    Call it, and write the lock before it, within `exclusive_lock`; ``written`` is that lock, so
    that it is not read again. A `lock` or an `update` that changed nothing records nothing. Raises
    ``LockError`` where there is no lock, and ``HistoryError``.
    """
    name = environment if isinstance(environment, str) else environment.name
    with exclusive_lock(project, name):
        locked = written or read_lock(project.root, name)
        if locked is None:
            raise LockError(f"{name} has no lock", hint=f"run `freeze lock {name}`")
        return _record(
            project, locked, action=action, summary=summary, reason=reason, deviation=deviation
        )


def _record(
    project: Project,
    locked: Locked,
    *,
    action: Action,
    summary: str,
    reason: str | None = None,
    deviation: bool = False,
) -> Generation:
    name = locked.lock.name
    past = history(project, name)
    beside = stored_files(locked.folder)
    smoke = smoke_files(project.store, locked.lock)
    keep_runtime(project, locked.lock)
    kept = keep(locked.folder, locked.id, beside, stored_references(locked), smoke)
    if past.head and past.head.lock_id == locked.id and action in ("lock", "update"):
        return past.head
    who = author(project.root)
    entry = Generation(
        number=past.next_number,
        parents=past.tips,
        date=now(),
        action=action,
        lock_id=locked.id,
        files=hashes(stored_files(kept)),
        reason=one_line(reason) or None if reason else None,
        who=who.who,
        commit=who.commit,
        summary=one_line(summary) or action,
        deviation=deviation,
    )
    write_changelog(locked.folder, append(locked.folder, entry, shown_folder(name)), name)
    return entry


def summary_of(changed: Sequence[str], first: Lock | None = None) -> str:
    """Return in a line what changed; of many changes, the first ones and how many there are.

    ``first`` is the lock where there was none before.
    """
    if first is not None:
        packages = sum(len(ecosystem.packages(first)) for ecosystem in INSTALLED)
        return f"first lock, {packages} package{'s' if packages != 1 else ''}"
    named = list(changed[:_MOST_CHANGES])
    if len(changed) > len(named):
        named.append(f"and {len(changed) - len(named)} more")
    return "; ".join(named) or "written anew"


def now() -> str:
    """Return this moment as the history writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

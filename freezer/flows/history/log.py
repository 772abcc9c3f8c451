"""``freeze log``: lists the generations of an environment, verifies them, joins two branches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.errors import HistoryError, LockError, Where
from freezer.fetch.store.atomic import disk_errors, write_atomically
from freezer.flows.history.entries import new_generation
from freezer.flows.history.generations import history, shown_folder
from freezer.flows.history.lock_files import (
    WRITTEN,
    hashes,
    owner,
    references_to_keep,
    stored_files,
)
from freezer.flows.history.recorded import ensure_stored
from freezer.flows.project.environment import (
    LOCKS,
    Locked,
    environments,
    load_environment,
    load_locked,
    read_lock,
)
from freezer.flows.project.exclusive import exclusive_lock
from freezer.flows.project.git import committed
from freezer.history.archive import keep
from freezer.history.changelog import write_changelog
from freezer.history.join import united
from freezer.history.log import FOLDER, LOG_FILE, History, read_log, write_log
from freezer.history.switch import begun, require_fit
from freezer.history.verify.verify import Subject, verify_history
from freezer.model.generation import Checked, Generation
from freezer.model.lockfile import LOCK_FILE, short_id

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from freezer.flows.project.project import Project


@dataclass(frozen=True)
class Row:
    """A generation as the log shows it."""

    generation: Generation
    checks: tuple[Checked, ...]
    current: bool
    """Whether its lock is the current one, and it is the last generation of that lock."""


@dataclass(frozen=True)
class Log:
    """An environment's history."""

    name: str
    rows: tuple[Row, ...]
    """Oldest first."""
    unrecorded: str | None
    """ID of the current lock, where no command has recorded it yet."""


@dataclass(frozen=True)
class Verified:
    """What comparing a history with its digests came to."""

    name: str
    entries: int
    """How many entries were compared with each other; 0 where they could not be read."""
    locks: int
    faults: tuple[str, ...]
    uncovered: tuple[str, ...] = ()
    """Files that no entry records, so that nothing can be said of them."""


def environment_name(project: Project, name: str | None) -> str:
    """Return the name of the environment that is meant; its lock need not be readable.

    Raises ``SpecError`` when there is none of that name, or several and none is named.
    """
    if name is not None and name in _with_history(project):
        return name
    if environments(project.root):
        return load_environment(project.root, name).name
    return load_locked(project.root, name).lock.name


def _with_history(project: Project) -> set[str]:
    return {path.parent.name for path in (project.root / LOCKS).glob(f"*/{FOLDER}")}


def log(project: Project, name: str | None) -> Log:
    """Return the history of an environment. Writes nothing. Raises ``HistoryError``."""
    chosen = environment_name(project, name)
    if begun(project.root / LOCKS / chosen, shown_folder(chosen)) is not None:
        project.report.warn(
            f"a rollback of {chosen} was cut off, or is being made; the next `freeze lock`, "
            "`freeze check` or `freeze rollback` ends it"
        )
    past, now_there = history(project, chosen), _current_id(project, chosen)
    current = past.head if past.head and past.head.lock_id == now_there else None
    rows = (Row(one, past.verdicts(one), one is current) for one in past.generations)
    return Log(chosen, tuple(rows), None if current else now_there)


def _current_id(project: Project, name: str) -> str | None:
    try:
        locked = read_lock(project.root, name)
    except LockError as error:
        project.report.warn(str(error))
        return None
    return locked.id if locked else None


def verify(project: Project, name: str | None) -> Verified:
    """Compare every entry, and every file of the history and next to the lock, with its digest."""
    chosen = environment_name(project, name)
    folder, shown = project.root / LOCKS / chosen, shown_folder(chosen)
    locked, lock_fault = _lock_here(project, chosen)
    subject = Subject(
        name=chosen,
        folder=folder,
        shown=shown,
        current=locked.id if locked else None,
        exports=WRITTEN,
        committed=committed(project.root, f"{shown}/{FOLDER}/{LOG_FILE}"),
    )
    found = verify_history(subject, owner)
    try:
        past = history(project, chosen)
    except HistoryError:
        past = History()
    if lock_fault is not None:
        found.add(lock_fault)
    elif locked is None and past.head is not None:
        found.faults.append(f"{shown}/{LOCK_FILE}: the lock is missing")
    if not folder.resolve().is_relative_to(project.root.resolve()):
        found.faults.append(f"{shown}: a link that leads out of the project")
    locks = len({one.lock_id for one in past.generations})
    return Verified(chosen, len(past.entries), locks, tuple(found.faults), tuple(found.uncovered))


def _lock_here(project: Project, name: str) -> tuple[Locked | None, LockError | None]:
    """Return the lock that is there, or what is wrong with it."""
    try:
        return read_lock(project.root, name), None
    except LockError as error:
        return None, error


def join(project: Project, name: str | None, reason: str | None = None) -> Generation:
    """Join two branches that both added to the history; return the generation that joins them.

    The lock that is there decides what is current. Raises ``HistoryError`` when there is nothing
    to join, or an entry of either side is gone or was edited, and ``LockError``.
    """
    chosen = environment_name(project, name)
    folder, shown = project.root / LOCKS / chosen, shown_folder(chosen)
    place = f"{shown}/{FOLDER}/{LOG_FILE}"
    with exclusive_lock(project, chosen):
        past = History(united(read_log(folder, place), place), place)
        if (switch := begun(folder, shown)) is not None:
            require_fit(switch, past, shown)
        locked = read_lock(project.root, chosen)
        if locked is None:
            raise LockError(
                f"{chosen} has no lock",
                where=Where(shown),
                hint="restore the one that is to be current",
            )
        if len(past.tips) < 2 and past.head and past.head.action == "merge":
            # Killed after the entry was written, or asked twice: see that the rest is there.
            write_changelog(folder, past, chosen)
            project.report.note(f"Joined already: generation {past.head.number} is the join")
            return past.head
        if len(past.tips) < 2:
            raise HistoryError(
                "there is nothing to join: the history has one end",
                where=Where(place),
                hint="`freeze log` shows it",
            )
        kept = keep(folder, locked.id, stored_files(folder), references_to_keep(locked, past))
        files = stored_files(kept)
        _restore(files, folder)
        entry = new_generation(
            project,
            past,
            locked.id,
            action="merge",
            files=hashes(files),
            summary=_joined(past, locked.id),
            reason=reason,
        )
        whole = past.extended(entry)
        write_log(folder, whole)
        write_changelog(folder, whole, chosen)
        ensure_stored(project, locked, whole)
        return entry


def _restore(files: Mapping[str, bytes], folder: Path) -> None:
    """Write the files of a lock next to it: git merges line by line what belongs together."""
    with disk_errors(folder):
        for name, data in files.items():
            if not (folder / name).is_file() or (folder / name).read_bytes() != data:
                write_atomically(folder / name, data)


def _joined(past: History, current: str) -> str:
    ends = [_end(past, tip) for tip in past.tips]
    named = " and ".join(f"{one.number} (lock {short_id(one.lock_id)})" for one in ends)
    like = next((one.number for one in reversed(past.generations) if one.lock_id == current), None)
    same = f"the lock of generation {like}" if like else "a lock that neither had"
    return f"joined two branches, which ended at generations {named}; current is {same}"


def _end(past: History, tip: str) -> Generation:
    """Return the last generation of a branch by the digest of its last entry."""
    by_digest = past.by_digest
    one = by_digest[tip]
    while not isinstance(one, Generation):
        one = by_digest[one.parents[0]]
    return one

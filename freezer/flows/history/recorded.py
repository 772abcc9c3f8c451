"""Compares what is stored next to a lock with the history, before it is used.

A file that was deleted, or replaced by another lock's, is put back from the history. One with
other bytes than the history recorded stops the command: nothing is known of it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from freezer.errors import HistoryError, Where
from freezer.fetch.store.atomic import disk_errors, write_atomically
from freezer.flows.history.lock_files import owner_or_none
from freezer.flows.project.environment import LOCKS
from freezer.history.archive import archive_folder
from freezer.history.files import read_regular
from freezer.history.join import united
from freezer.history.log import FOLDER, LOG_FILE, History, read_history, read_log
from freezer.history.stored import (
    REFERENCES,
    recorded_exports,
    recorded_files,
    verified_file,
)
from freezer.model.canonical import digest

if TYPE_CHECKING:
    from freezer.flows.project.environment import Locked
    from freezer.flows.project.project import Project


def readable_history(project: Project, name: str) -> History:
    """Return an environment's history to compare files with, its branches joined or not.

    Raises ``HistoryError`` when it was edited.
    """
    folder, shown = project.root / LOCKS / name, f"{LOCKS}/{name}"
    try:
        return read_history(folder, shown)
    except HistoryError:
        place = f"{shown}/{FOLDER}/{LOG_FILE}"
        return History(united(read_log(folder, place), place), place)


def ensure_references(
    project: Project, locked: Locked, past: History | None = None, *, renewed: str | None = None
) -> None:
    """See that the references stored next to a lock are those that the history recorded.

    ``renewed`` is the numerics class whose reference is about to be recorded anew. Raises
    ``HistoryError`` for a reference that was exchanged, or is gone from the history as well.
    """
    past = past if past is not None else readable_history(project, locked.lock.name)
    skipped = f"{REFERENCES}/{renewed}.json"
    names = {**recorded_files(past, locked.id), skipped: ""}
    for name, sha256 in names.items():
        if name.startswith(f"{REFERENCES}/") and name != skipped:
            _ensure(project, locked, past, name, sha256)
    for path in sorted((locked.folder / REFERENCES).glob("*.json")):
        name = f"{REFERENCES}/{path.name}"
        if name not in names:
            _require_unchanged(project, locked, past, name)


def ensure_stored(
    project: Project, locked: Locked, past: History, *, renewed: str | None = None
) -> None:
    """See to the exports and references of a lock where none is used just now.

    What is gone, or is an earlier lock's, is put back. What was exchanged gives a warning, and is
    not recorded. ``renewed`` is as for `ensure_references`.
    """
    try:
        _ensure_exports(project, locked, past)
        ensure_references(project, locked, past, renewed=renewed)
    except HistoryError as error:
        project.report.warn(str(error))


def require_recorded(project: Project, locked: Locked, name: str) -> None:
    """Compare an export or the inventory of a lock with the history, where that records it.

    Raises ``HistoryError`` when it was edited or replaced; says nothing of one that is not there.
    """
    if not locked.folder.is_relative_to(project.root / LOCKS / locked.lock.name):
        return  # a lock out of an image or from elsewhere
    past = readable_history(project, locked.lock.name)
    sha256 = recorded_files(past, locked.id).get(name)
    if sha256 is not None and os.path.lexists(locked.folder / name):
        verified_file(locked.folder, name, sha256, str(locked.folder.relative_to(project.root)))


def _ensure_exports(project: Project, locked: Locked, past: History) -> None:
    """Put back exports that are gone or an earlier lock's. Raises ``HistoryError`` for others."""
    known = {one.files.get(name) for one in past.generations for name in one.files}
    for name, sha256 in recorded_exports(past, locked.id).items():
        try:
            found = digest(read_regular(locked.folder, name))
        except FileNotFoundError:
            found = None
        except OSError as error:
            raise _exchanged(project, locked, name, error.strerror, sha256) from None
        if found is None or (found != sha256 and found in known):
            _put_back(project, locked, name, sha256)
        elif found != sha256:
            raise _exchanged(project, locked, name, f"bytes that hash to {found[:12]}", sha256)


def _ensure(project: Project, locked: Locked, past: History, name: str, sha256: str) -> None:
    """See that a reference of this lock is there, with the bytes that were recorded."""
    try:
        data = read_regular(locked.folder, name)
    except FileNotFoundError:
        _put_back(project, locked, name, sha256)
        return
    except OSError as error:
        raise _exchanged(project, locked, name, error.strerror, sha256) from None
    if digest(data) in _accepted(past, locked.id, name, sha256):
        return
    if owner_or_none(data, name) not in (None, locked.id):
        _put_back(project, locked, name, sha256)  # an earlier lock's, whose turn is over
        return
    raise _exchanged(project, locked, name, f"bytes that hash to {digest(data)[:12]}", sha256)


def _require_unchanged(project: Project, locked: Locked, past: History, name: str) -> None:
    """Compare a reference of another lock, or of a class that the history does not know yet."""
    try:
        data = read_regular(locked.folder, name)
    except OSError as error:
        raise _exchanged(project, locked, name, error.strerror, None) from None
    owner = owner_or_none(data, name)
    sha256 = recorded_files(past, owner).get(name) if owner is not None else None
    if sha256 is not None and digest(data) not in _accepted(past, owner or "", name, sha256):
        found = f"bytes that hash to {digest(data)[:12]}"
        raise _exchanged(project, locked, name, found, sha256)


def _accepted(past: History, lock_id: str, name: str, last: str) -> set[str]:
    """Return the digests that a reference may have: of branches not joined yet, those of each."""
    if len(past.tips) < 2:
        return {last}
    return {last} | {
        one.reference
        for one in past.checks(lock_id)
        if one.reference is not None and f"{REFERENCES}/{one.class_}.json" == name
    }


def _put_back(project: Project, locked: Locked, name: str, sha256: str) -> None:
    folder = project.root / LOCKS / locked.lock.name
    kept = archive_folder(folder, locked.id)
    data = verified_file(kept, name, sha256, str(kept.relative_to(project.root)))
    if locked.folder == kept:
        return
    with disk_errors(locked.folder):
        (locked.folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_atomically(locked.folder / name, data)
    project.report.note(
        f"{(locked.folder / name).relative_to(project.root)} was gone or another lock's: "
        "it was put back from the history"
    )


def _exchanged(
    project: Project, locked: Locked, name: str, found: str | None, expected: str | None
) -> HistoryError:
    path = locked.folder / name
    kept = archive_folder(project.root / LOCKS / locked.lock.name, locked.id) / name
    copy = f"from version control, or from {kept.relative_to(project.root)}"
    again = "; `freeze check --record` records it anew" if name.startswith(REFERENCES) else ""
    return HistoryError(
        f"the {'reference' if again else 'file'} is not the one that the history recorded",
        where=Where(str(path.relative_to(project.root))),
        found=found,
        expected=None if expected is None else f"{expected[:12]}, as recorded",
        hint=f"restore it {copy}{again}",
    )

"""Files stored with a lock, compared with the history's records."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from freezer.errors import HistoryError, Where
from freezer.history.files import read_regular
from freezer.model.canonical import digest
from freezer.model.lockfile import LOCK_FILE

if TYPE_CHECKING:
    from pathlib import Path

    from freezer.history.log import History

REFERENCES: Final = "references"
INVENTORY_FILE: Final = "inventory.json"
RESTORE: Final = "restore it from version control"


def recorded_files(past: History, lock_id: str) -> dict[str, str]:
    """Return the SHA-256 of every file that a history records for a lock, by path.

    These are the lock itself, its exports, the last reference of each numerics class, and the last
    inventory. Entries of early versions of Freezer record less.
    """
    found = {LOCK_FILE: lock_id, **recorded_exports(past, lock_id)}
    for class_, sha256 in past.references(lock_id).items():
        found[f"{REFERENCES}/{class_}.json"] = sha256
    if (inventory := past.inventory(lock_id)) is not None:
        found[INVENTORY_FILE] = inventory
    return found


def recorded_exports(past: History, lock_id: str) -> dict[str, str]:
    """Return the SHA-256 of every export that a history records for a lock, by name."""
    files = [one.files for one in past.generations if one.lock_id == lock_id]
    found = {name: sha256 for one in files for name, sha256 in one.items()}
    found.pop(LOCK_FILE, None)
    return found


def verified_file(folder: Path, name: str, sha256: str, shown: str) -> bytes:
    """Return a stored file with a given SHA-256. Raises ``HistoryError``.

    ``shown`` is the folder's path for messages.
    """
    where = Where(f"{shown}/{name}")
    try:
        if folder.is_symlink():
            raise OSError(errno.ELOOP, "a link instead of the folder")
        data = read_regular(folder, name)
    except FileNotFoundError as error:
        raise HistoryError(
            "a file of the history is missing", where=where, found=error.strerror, hint=RESTORE
        ) from None
    except OSError as error:
        raise HistoryError(
            "a file of the history was replaced", where=where, found=error.strerror, hint=RESTORE
        ) from None
    if digest(data) != sha256:
        raise HistoryError(
            "a file of the history was edited",
            where=where,
            found=f"bytes that hash to {digest(data)[:12]}",
            expected=sha256[:12],
            hint=RESTORE,
        )
    return data

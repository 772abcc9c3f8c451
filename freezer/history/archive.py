"""The archive of locks: all earlier ones, in ``history/<lock id>/`` next to the current one."""

from __future__ import annotations

import errno
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from freezer.errors import HistoryError, Where
from freezer.fetch.store.atomic import disk_errors, write_atomically
from freezer.history.files import read_regular
from freezer.history.log import FOLDER
from freezer.history.stored import REFERENCES
from freezer.model import file_names
from freezer.model.canonical import digest
from freezer.model.lockfile import LOCK_FILE, lock_id, parse_lock

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from freezer.model.lock import Lock

SMOKE: Final = "smoke"
"""Folder of the user's smoke training files by SHA-256, as the store may be deleted."""
ATTESTATIONS: Final = "attestations"
"""Signed statements about locks, next to the current one; their signatures protect them."""
PLANS: Final = "plans"
"""Plans that generations were made by, next to the current lock, by SHA-256."""
INSIDE: Final = file_names.INSIDE
_LOCK_ID: Final = re.compile(r"[0-9a-f]{64}")
_RESTORE: Final = "restore the folder from version control"


@dataclass(frozen=True)
class Archived:
    """An earlier lock with verified bytes."""

    lock: Lock
    id: str
    folder: Path
    """The folder with the lock, its exports, and its references."""


def archive_folder(folder: Path, identifier: str) -> Path:
    """Return the archive folder of a lock ID; ``folder`` is the current lock's."""
    return folder / FOLDER / identifier


def keep(
    folder: Path,
    identifier: str,
    files: Mapping[str, bytes],
    references: Mapping[str, bytes],
    smoke: Mapping[str, bytes] | None = None,
    *,
    replace: bool = False,
) -> Path:
    """Archive a lock with its exports and references; return its folder.

    ``files`` are by plain name, including ``freeze.lock.yaml``; ``references`` are by plain name as
    well; ``smoke`` has the files of the user's own smoke training by SHA-256. Existing files are
    not overwritten, unless ``replace``, except for a reference, which `freeze check --record` may
    replace: the caller passes only references that agree with the history. Raises ``HistoryError``
    when the lock's SHA-256 is not its ID.
    """
    if lock_id(files[LOCK_FILE]) != identifier:
        raise HistoryError("the lock does not have the ID to archive", expected=identifier)
    target = archive_folder(folder, identifier)
    with disk_errors(folder):
        (target / REFERENCES if references else target).mkdir(parents=True, exist_ok=True)
        for name, data in references.items():
            _put(target / REFERENCES / name, data)
        for sha256, data in (smoke or {}).items():
            (target / SMOKE).mkdir(exist_ok=True)
            _put(target / SMOKE / sha256, data)
        # The lock is written last: when it exists, the others do too, even after a kill.
        for name in sorted(files, key=lambda one: one == LOCK_FILE):
            if replace or not (target / name).exists():
                _put(target / name, files[name])
    return target


def keep_plan(folder: Path, data: bytes) -> str:
    """Keep a plan next to the current lock; return its SHA-256."""
    sha256 = digest(data)
    with disk_errors(folder):
        (folder / PLANS).mkdir(parents=True, exist_ok=True)
        _put(plan_path(folder, sha256), data)
    return sha256


def plan_path(folder: Path, sha256: str) -> Path:
    """Return where a plan is kept; ``folder`` is the current lock's."""
    return folder / PLANS / f"{sha256}.yaml"


def _put(path: Path, data: bytes) -> None:
    if not path.is_file() or path.is_symlink() or path.read_bytes() != data:
        write_atomically(path, data)


def archived(folder: Path, identifier: str, shown: str | None = None) -> Archived:
    """Return an archived lock by ID; ``folder`` is the current lock's.

    Raises ``HistoryError`` when it is missing or was edited, and ``LockError`` when this version of
    Freezer cannot read it.
    """
    label = f"{shown or folder.name}/{FOLDER}/{identifier[:12]}…/{LOCK_FILE}"
    data = archived_bytes(folder, identifier, label)
    return Archived(parse_lock(data, label), identifier, archive_folder(folder, identifier))


def archived_bytes(folder: Path, identifier: str, label: str) -> bytes:
    """Return the verified bytes of an archived lock. Raises ``HistoryError``."""
    if not _LOCK_ID.fullmatch(identifier):
        raise HistoryError("this is not a lock ID", found=identifier, expected="64 digits")
    kept = archive_folder(folder, identifier)
    try:
        if kept.is_symlink():
            raise OSError(errno.ELOOP, "a link instead of the folder")
        data = read_regular(kept, LOCK_FILE)
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        raise HistoryError(
            f"a lock of the history {'is missing' if missing else 'was replaced'}",
            where=Where(label),
            found=error.strerror,
            hint=_RESTORE,
        ) from None
    if lock_id(data) != identifier:
        raise HistoryError(
            "a lock of the history was edited",
            where=Where(label),
            found=f"bytes that hash to {lock_id(data)[:12]}",
            expected=f"{identifier[:12]}, the lock ID",
            hint=_RESTORE,
        )
    return data

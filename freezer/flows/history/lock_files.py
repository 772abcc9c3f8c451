"""Files stored next to a lock: its exports, its references, and those of its own training."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from freezer.errors import CheckError
from freezer.history.files import read_regular
from freezer.history.stored import (
    REFERENCES,
    recorded_exports,
    recorded_files,
    verified_file,
)
from freezer.model.canonical import digest
from freezer.model.exports.requirements_txt import REQUIREMENTS_FILE
from freezer.model.lockfile import LOCK_FILE

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from freezer.fetch.store.store import Store
    from freezer.flows.project.environment import Locked
    from freezer.history.log import History
    from freezer.model.lock import Lock

EXPLICIT_FILES: Final = {
    "linux/amd64": "conda-linux-64.lock",
    "linux/arm64": "conda-linux-aarch64.lock",
}
"""conda-lock's own names for explicit files."""
CONDA_EXPORTS: Final = frozenset(
    {"conda-lock.yml", "environment.yml", "virtual-packages.yml", *EXPLICIT_FILES.values()}
)
WRITTEN: Final = frozenset({LOCK_FILE, REQUIREMENTS_FILE, *CONDA_EXPORTS})
"""Every name that `freeze lock` may give a file next to the lock."""


def stored_files(folder: Path) -> dict[str, bytes]:
    """Return what `freeze lock` wrote into a folder, by name; only regular files."""
    found = {}
    for name in sorted(WRITTEN):
        with suppress(OSError):
            found[name] = read_regular(folder, name)
    return found


def reference_files(folder: Path) -> dict[str, tuple[str | None, bytes]]:
    """Return the references stored in a folder by file name: the ID of the lock, and the bytes.

    The ID is None for a file that is no reference. What cannot be read is left out.
    """
    found = {}
    for path in sorted((folder / REFERENCES).glob("*.json")):
        with suppress(OSError):
            data = read_regular(folder, f"{REFERENCES}/{path.name}")
            found[path.name] = (owner_or_none(data, path.name), data)
    return found


def owner(data: bytes, shown: str) -> str:
    """Return the ID of the lock that a reference belongs to. Raises ``CheckError``."""
    from freezer.check.reference import parse_reference

    return parse_reference(data, shown).lock_id


def owner_or_none(data: bytes, shown: str) -> str | None:
    """Return the ID of the lock that a reference belongs to; None when it is no reference."""
    try:
        return owner(data, shown)
    except CheckError:
        return None


def references_to_keep(
    locked: Locked, past: History, written: Collection[str] = ()
) -> dict[str, bytes]:
    """Return a lock's references that may go into its history, by file name.

    These are the ones that the history recorded, those of numerics classes that it has not recorded
    yet, and the ``written`` ones, which the caller has just compared or made. An exchanged file is
    none of them.
    """
    recorded = recorded_files(past, locked.id)
    return {
        name: data
        for name, (lock_id, data) in reference_files(locked.folder).items()
        if lock_id == locked.id
        and (name in written or recorded.get(f"{REFERENCES}/{name}", digest(data)) == digest(data))
    }


def files_to_keep(locked: Locked, past: History) -> dict[str, bytes]:
    """Return the lock and the exports that may go into its history, by name.

    Where the history has recorded exports of this lock already, those alone: the others were edited
    or added since.
    """
    recorded = recorded_exports(past, locked.id)
    files = stored_files(locked.folder)
    if not recorded:
        return files
    return {
        name: data
        for name, data in files.items()
        if name == LOCK_FILE or recorded.get(name) == digest(data)
    }


def smoke_files(store: Store, lock: Lock) -> dict[str, bytes]:
    """Return the files of a lock's own smoke training that the store holds, by SHA-256."""
    wanted = {file.sha256 for file in lock.own_files}
    return {one: store.verified(one).read_bytes() for one in sorted(wanted) if store.has(one)}


def restore_smoke_files(store: Store, lock: Lock, folder: Path) -> None:
    """Put back into the store what it lacks of them and the history keeps in a folder.

    Raises ``HistoryError`` when one was edited there.
    """
    for one in sorted({file.sha256 for file in lock.own_files}):
        if not store.has(one) and (folder / one).is_file():
            store.put_bytes(verified_file(folder, one, one, f"{folder.parent.name}/{folder.name}"))


def hashes(files: dict[str, bytes]) -> dict[str, str]:
    """Return the SHA-256 of each file."""
    return {name: digest(data) for name, data in files.items()}

"""What lies beside a lock, as bytes: the files that were written with it, and its references."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from freezer.check.reference import FOLDER, parse_reference
from freezer.errors import CheckError
from freezer.history.archive import verified_file
from freezer.model.canonical import digest
from freezer.model.lockfile import LOCK_FILE
from freezer.model.requirements_txt import REQUIREMENTS_FILE

if TYPE_CHECKING:
    from pathlib import Path

    from freezer.fetch.store.store import Store
    from freezer.flows.project.environment import Locked
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
"""Every name that `freeze lock` may write beside a spec."""


def stored_files(folder: Path) -> dict[str, bytes]:
    """Return what `freeze lock` wrote into a folder, by name."""
    paths = (folder / name for name in sorted(WRITTEN))
    return {path.name: path.read_bytes() for path in paths if path.is_file()}


def stored_references(locked: Locked) -> dict[str, bytes]:
    """Return a lock's references by file name; not those of another lock, nor spoiled ones."""
    found = {}
    for path in sorted((locked.folder / FOLDER).glob("*.json")):
        data = path.read_bytes()
        try:
            if parse_reference(data, path.name).lock_id == locked.id:
                found[path.name] = data
        except CheckError:
            continue
    return found


def smoke_files(store: Store, lock: Lock) -> dict[str, bytes]:
    """Return the files of a lock's own smoke training that the store holds, by SHA-256."""
    wanted = {file.sha256 for file in lock.own_files}
    return {one: store.verified(one).read_bytes() for one in sorted(wanted) if store.has(one)}


def restore_smoke_files(store: Store, lock: Lock, folder: Path) -> None:
    """Bring back into the store what it lacks of them and the history kept in a folder.

    Raises ``HistoryError`` when one was edited there.
    """
    for one in sorted({file.sha256 for file in lock.own_files}):
        if not store.has(one) and (folder / one).is_file():
            store.put_bytes(verified_file(folder, one, one, f"{folder.parent.name}/{folder.name}"))


def hashes(files: dict[str, bytes]) -> dict[str, str]:
    """Return the SHA-256 of each file."""
    return {name: digest(data) for name, data in files.items()}

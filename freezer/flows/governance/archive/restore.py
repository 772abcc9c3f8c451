"""``freeze archive restore``: an environment of an archive, back in a project and its ledger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from freezer.errors import HostError, IntegrityError, LockError, Where
from freezer.fetch.archive_storage.location import open_storage
from freezer.fetch.store.atomic import disk_errors, write_atomically
from freezer.flows.governance.archive.contents import BLOBS, LOCK, SPEC
from freezer.flows.governance.archive.runs import restore_runs
from freezer.flows.governance.archive.versions import (
    inventory_of,
    manifest_of,
    signature_problem,
    small_content,
)
from freezer.flows.governance.key_files import read_keys
from freezer.flows.image.bundle import needed_blobs
from freezer.flows.project.environment import IMAGES, LOCKS
from freezer.governance.archive.ocfl import open_root, take_content
from freezer.inside import inside_digest
from freezer.model.lockfile import LOCK_FILE, lock_id, parse_lock, short_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from freezer.fetch.archive_storage.interface import Storage, Stored
    from freezer.flows.project.project import Project
    from freezer.governance.archive.inventory import Inventory
    from freezer.model.lock import Lock

_LARGEST: Final = 256 << 20
"""Bytes of a file next to a lock, or of the spec."""


@dataclass(frozen=True)
class Restored:
    """What came back."""

    environment: str
    version: str
    lock_id: str
    files: int
    runs: tuple[str, ...]
    """IDs of the runs that are in the ledger now, new or not."""


def restore_archive(
    project: Project, place: str, name: str, version: str | None = None,
    keys: Sequence[Path] = (), at: datetime | None = None,
) -> Restored:  # fmt: skip
    """Restore an environment of an archive into the project, the store and the ledger.

    Every file is verified on the way. Raises ``LockError`` where the project has another lock of
    that environment, ``IntegrityError`` for a file that is not what was archived, or a version that
    none of the keys signed; the lock, which makes the environment one, is written last.
    """
    storage = open_storage(place, project.config)
    loaded = read_keys(keys)
    open_root(storage, make=False)
    inventory, damaged = inventory_of(storage, name)
    if damaged:
        project.report.warn(
            f"the inventory of {name} is damaged; that of its version {inventory.head} is used"
        )
    number = _number(storage, name, inventory, version)
    state = inventory.versions[number - 1].state
    if loaded and (problem := signature_problem(storage, inventory, number, loaded, at)):
        raise IntegrityError(
            f"v{number} of {name} does not count as signed", where=Where(storage.address),
            found=problem, hint="give the public key of whoever archived it, or another version",
        )  # fmt: skip
    if manifest_of(storage, inventory.id, inventory, number) is None:
        project.report.note(f"v{number} of {name} was archived without a manifest")
    data, lock = _lock(storage, name, inventory, number)
    _require_complete(lock, state, f"{name}/v{number}")
    _require_free(project, name, data)
    _take_all(project, storage, inventory, state, name)
    runs = restore_runs(project, storage, inventory, state)
    _write(project.root / LOCKS / name / LOCK_FILE, data)
    return Restored(name, f"v{number}", lock_id(data), len(state), runs)


def _number(storage: Storage, name: str, inventory: Inventory, version: str | None) -> int:
    wanted = version or inventory.head
    names = [f"v{number}" for number in range(1, len(inventory.versions) + 1)]
    if wanted not in names:
        raise HostError(
            f"the archive has no {wanted} of {name}", where=Where(storage.address),
            expected=", ".join(names[-5:]),
        )  # fmt: skip
    return names.index(wanted) + 1


def _lock(storage: Storage, name: str, inventory: Inventory, number: int) -> tuple[bytes, Lock]:
    place = f"{name}/v{number}/{LOCK_FILE}"
    sha256 = inventory.versions[number - 1].state.get(f"{LOCK}/{LOCK_FILE}")
    if sha256 is None:
        raise IntegrityError("this version of the archive has no lock", where=Where(place))
    data = small_content(storage, inventory, sha256, _LARGEST)
    lock = parse_lock(data, place)
    if lock.name != name:
        raise IntegrityError(f"{name} of the archive holds a lock of {lock.name}")
    return data, lock


def _require_complete(lock: Lock, state: Mapping[str, str], place: str) -> None:
    held = {sha256 for path, sha256 in state.items() if path == f"{BLOBS}/{sha256}"}
    # An image runtime of this version of Freezer comes with it.
    wanted = {*needed_blobs(lock), lock.inside.sha256} - {inside_digest()[1]}
    if missing := sorted(wanted - held):
        raise IntegrityError(
            f"the archive lacks {len(missing)} of the files that its lock needs",
            where=Where(place), details=missing[:10],
            hint="archive the environment again, or take another version",
        )  # fmt: skip


def _take_all(
    project: Project, storage: Storage, inventory: Inventory, state: Mapping[str, str], name: str
) -> None:
    """Take the blobs into the store, and then what is next to the lock and the spec."""
    stored = storage.files(inventory.id)
    with project.report.task("Restoring", total=len(state)) as task:
        for path, sha256 in sorted(state.items()):
            if path.startswith(f"{BLOBS}/") and not project.store.has(sha256):
                place = inventory.manifest[sha256]
                _take_blob(project, storage, f"{inventory.id}/{place}", stored.get(place), sha256)
                task.advance(1)
        for path, sha256 in sorted(state.items()):
            target = _target(project, name, path)
            if target is not None and not target.exists():
                _write(target, small_content(storage, inventory, sha256, _LARGEST))
                task.advance(1)


def _take_blob(
    project: Project, storage: Storage, place: str, stored: Stored | None, sha256: str
) -> None:
    def take(blocks: Iterator[bytes]) -> None:
        with project.store.writer(sha256=sha256) as writer:
            for block in blocks:
                writer.write(block)

    take_content(storage, place, stored, sha256, take)


def _target(project: Project, name: str, path: str) -> Path | None:
    kind, _, rest = path.partition("/")
    if kind == LOCK and rest != LOCK_FILE:
        return project.root / LOCKS / name / rest
    return project.root / IMAGES / name / rest if kind == SPEC else None


def _require_free(project: Project, name: str, data: bytes) -> None:
    present = project.root / LOCKS / name / LOCK_FILE
    if present.is_file() and present.read_bytes() != data:
        raise LockError(
            f"the project has another lock of {name} than the archive",
            where=Where(f"{LOCKS}/{name}/{LOCK_FILE}"),
            found=short_id(lock_id(present.read_bytes())),
            expected=short_id(lock_id(data)),
            hint="work in another folder, or remove the lock there",
        )


def _write(target: Path, data: bytes) -> None:
    with disk_errors(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, data)

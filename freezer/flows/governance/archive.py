"""``freeze archive``: an environment with all that its rebuild takes, kept for years."""

from __future__ import annotations

import hashlib
import io
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Final

from filelock import FileLock, Timeout

from freezer.errors import BusyError, HostError, IntegrityError, LockError, Where
from freezer.fetch.store.atomic import write_atomically
from freezer.flows.governance.sbom import make_sbom, sbom_text
from freezer.flows.history.recorded import ensure_references
from freezer.flows.image.bundle import needed_blobs
from freezer.flows.image.fetch import fetch_lock
from freezer.flows.project.environment import IMAGES, LOCKS, SPEC_FILE, load_environment
from freezer.flows.project.image_runtime import require_runtime
from freezer.governance.archive.ocfl import (
    Source,
    Written,
    add_version,
    objects,
    open_root,
    read_object,
    verify_object,
)
from freezer.image.base import ensure_base, keep_base
from freezer.model.lockfile import LOCK_FILE, lock_id, parse_lock, short_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from freezer.flows.project.environment import Locked
    from freezer.flows.project.project import Project
    from freezer.governance.archive.inventory import Inventory

_LOCK: Final = "lock"
_SPEC: Final = "spec"
_BLOBS: Final = "blobs/sha256"
_PATIENCE: Final = 600.0
"""Seconds to wait for another process that writes to the archive."""


@dataclass(frozen=True)
class Archived:
    """A version of an environment in an archive."""

    environment: str
    lock_id: str
    root: Path
    written: Written


@dataclass(frozen=True)
class Entry:
    """One version in an archive."""

    environment: str
    version: str
    created: str
    message: str
    files: int


@dataclass(frozen=True)
class Fixity:
    """Whether an archive is what was written."""

    environments: int
    size: int
    """Bytes that were read."""
    findings: tuple[str, ...]
    """A sentence for each file that is not; it names the file."""


def create_archive(project: Project, name: str | None, root: Path) -> Archived:
    """Add the current state of an environment to an archive: lock, history, spec, every file.

    Raises what fetching raises, ``HostError`` for a folder that is no archive, or a full disk.
    """
    made = make_sbom(project, name)
    locked = made.locked
    lock, store = locked.lock, project.store
    open_root(root, make=True)
    require_runtime(project, lock)
    fetch_lock(project, lock)
    if lock.base.kind == "registry":
        reference = ensure_base(lock, engine=project.engine(), store=store, report=project.report)
        keep_base(lock.base, reference, engine=project.engine(), store=store)
    ensure_references(project, locked)
    made = make_sbom(project, name) if made.unread else made
    files = {**_folders(project, locked), **_blobs(project, locked)}
    for form, file in (("cyclonedx", "sbom.cdx.json"), ("spdx", "sbom.spdx.json")):
        files[file] = _bytes(sbom_text(project, made.sbom, form).encode())  # type: ignore[arg-type]
    total = sum(source.size for source in files.values())
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with (
        _exclusive(root),
        project.report.task("Archiving", total=total, unit="bytes") as task,
    ):
        written = add_version(
            root, lock.name, files, created=now, message=f"lock {locked.id}", advance=task.advance
        )
    return Archived(lock.name, locked.id, root, written)


def list_archive(root: Path) -> tuple[Entry, ...]:
    """Return every version in an archive. Raises ``HostError``, ``IntegrityError``."""
    open_root(root, make=False)
    found = []
    for name in objects(root):
        inventory = _inventory(root, name)
        for number, one in enumerate(inventory.versions, 1):
            found.append(Entry(name, f"v{number}", one.created, one.message, len(one.state)))
    return tuple(found)


def verify_archive(project: Project, root: Path) -> Fixity:
    """Read every byte of an archive, and return what changed since it was written."""
    open_root(root, make=False)
    findings: list[str] = []
    size = 0

    with project.report.task("Verifying the archive", unit="bytes") as task:

        def advance(count: int) -> None:
            nonlocal size
            size += count
            task.advance(count)

        names = objects(root)
        for name in names:
            findings += verify_object(root, name, advance)
    return Fixity(len(names), size, tuple(findings))


def restore_archive(
    project: Project, root: Path, name: str, version: str | None = None
) -> tuple[str, int]:
    """Bring an environment of an archive into the project and the store; return lock ID and files.

    Every file is verified on the way. Raises ``LockError`` where the project has another lock of
    that environment, ``IntegrityError`` for a file that is not what was archived; the lock, which
    makes the environment one, is written last.
    """
    open_root(root, make=False)
    inventory = _inventory(root, name)
    wanted = version or inventory.head
    names = [f"v{number}" for number in range(1, len(inventory.versions) + 1)]
    if wanted not in names:
        raise HostError(
            f"the archive has no {wanted} of {name}", where=Where(str(root)),
            expected=", ".join(names[-5:]),
        )  # fmt: skip
    state = inventory.versions[names.index(wanted)].state
    data = _checked(
        root / name / inventory.manifest[state[f"{_LOCK}/{LOCK_FILE}"]],
        state[f"{_LOCK}/{LOCK_FILE}"],
    )
    lock = parse_lock(data, f"{name}/{wanted}/{LOCK_FILE}")
    if lock.name != name:
        raise IntegrityError(f"{name} of the archive holds a lock of {lock.name}")
    _require_free(project, name, data)
    with project.report.task("Restoring", total=len(state)) as task:
        for path, sha256 in sorted(state.items()):
            file = root / name / inventory.manifest[sha256]
            if path.startswith(f"{_BLOBS}/"):
                if not project.store.has(sha256):
                    project.store.put_file(file, sha256=sha256)
            elif path != f"{_LOCK}/{LOCK_FILE}":
                target = _target(project, name, path)
                if target is not None and not target.exists():
                    _write(target, _checked(file, sha256))
            task.advance(1)
    _write(project.root / LOCKS / name / LOCK_FILE, data)
    return lock_id(data), len(state)


def _inventory(root: Path, name: str) -> Inventory:
    found = read_object(root, name)
    if found is None:
        known = ", ".join(objects(root)) or "nothing"
        raise HostError(
            f"the archive has no {name}", where=Where(str(root)), found=f"it has {known}"
        )
    return found


def _target(project: Project, name: str, path: str) -> Path | None:
    kind, _, rest = path.partition("/")
    if kind == _LOCK:
        return project.root / LOCKS / name / rest
    return project.root / IMAGES / name / rest if kind == _SPEC else None


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


def _checked(path: Path, sha256: str) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise IntegrityError(
            "a file of the archive cannot be read", where=Where(str(path)), found=error.strerror
        ) from None
    if hashlib.sha256(data).hexdigest() != sha256:
        raise IntegrityError(
            "a file of the archive is not what was archived", where=Where(str(path)),
            expected=f"sha256 {sha256}", hint="`freeze archive verify` names every such file",
        )  # fmt: skip
    return data


def _write(target: Path, data: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(target, data)


def _folders(project: Project, locked: Locked) -> dict[str, Source]:
    """Return the files next to the lock, and those of the spec's folder."""
    found = {}
    name = locked.lock.name
    for kind, folder in ((_LOCK, locked.folder), (_SPEC, project.root / IMAGES / name)):
        for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
            if path.is_file() and not path.is_symlink() and "__pycache__" not in path.parts:
                found[f"{kind}/{path.relative_to(folder).as_posix()}"] = _file(path)
    if f"{_SPEC}/{SPEC_FILE}" not in found and (project.root / SPEC_FILE).is_file():
        # A project of one environment: its spec is at the top, among files of other purposes.
        spec = load_environment(project.root, name).spec
        for file in (SPEC_FILE, *spec.pip.files, *([spec.conda.file] if spec.conda else [])):
            if file is not None and (project.root / file).is_file():
                found[f"{_SPEC}/{file}"] = _file(project.root / file)
    return found


def _blobs(project: Project, locked: Locked) -> dict[str, Source]:
    found = {}
    for sha256 in sorted({*needed_blobs(locked.lock), locked.lock.inside.sha256}):
        path = project.store.verified(sha256)
        found[f"{_BLOBS}/{sha256}"] = Source(sha256, path.stat().st_size, _opener(path))
    return found


def _file(path: Path) -> Source:
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return Source(digest, path.stat().st_size, _opener(path))


def _bytes(data: bytes) -> Source:
    return Source(hashlib.sha256(data).hexdigest(), len(data), lambda: io.BytesIO(data))


def _opener(path: Path) -> Callable[[], IO[bytes]]:
    return lambda: path.open("rb")


@contextmanager
def _exclusive(root: Path) -> Iterator[None]:
    """Let one process at a time write to an archive; the file is next to it, not in it."""
    lock = FileLock(root.with_name(f".{root.name}.lock"), timeout=_PATIENCE)
    try:
        with lock:
            yield
    except Timeout:
        raise BusyError(
            "another process writes to this archive", where=Where(str(root)), hint="try again later"
        ) from None

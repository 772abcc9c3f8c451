"""``freeze bundle``: all inputs of an image in one file, for hosts without a network."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from freezer.ecosystems import lock_artifacts
from freezer.errors import HostError, IntegrityError, LockError, Where
from freezer.fetch.store.atomic import disk_errors, replacing, write_atomically
from freezer.flows.history.generations import history
from freezer.flows.history.recorded import ensure_references, require_recorded
from freezer.flows.image.current_lock import load_current_lock
from freezer.flows.image.fetch import fetch_lock
from freezer.flows.project.environment import LOCKS, Locked
from freezer.flows.project.image_runtime import keep_runtime, require_runtime
from freezer.image.base import base_blobs, ensure_base, keep_base
from freezer.image.clock import epoch
from freezer.image.oci.bundle import Bundle, Content, content_of, read_bundle, write_bundle
from freezer.inside import inside_digest
from freezer.model.exports.requirements_txt import REQUIREMENTS_FILE
from freezer.model.lockfile import LOCK_FILE, lock_id, parse_lock, short_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from freezer.fetch.store.store import Store
    from freezer.flows.project.project import Project
    from freezer.model.lock import Lock

_COPY = 1 << 20


@dataclass(frozen=True)
class Bundled:
    """A bundle that was written or verified."""

    environment: str
    lock_id: str
    path: Path
    files: int
    size: int
    """Bytes of all members."""


def bundle(project: Project, name: str | None, path: Path) -> Bundled:
    """Write a bundle of an environment's lock atomically; equal locks give equal bytes.

    Raises the errors of fetching, and ``HostError`` when the disk is full.
    """
    locked = load_current_lock(project, name)
    lock, store = locked.lock, project.store
    require_runtime(project, lock)  # first, as the rest takes time
    fetch_lock(project, lock)
    if lock.base.kind == "registry":
        engine = project.engine()
        reference = ensure_base(lock, engine=engine, store=store, report=project.report)
        with project.report.task("Keeping the base image"):
            keep_base(lock.base, reference, engine=engine, store=store)
    ensure_references(project, locked)
    require_recorded(project, locked, REQUIREMENTS_FILE)
    members = _members(locked, store)
    total = sum(content.size for content in members.values())
    with (
        disk_errors(path.parent),
        project.report.task("Writing the bundle", total=total, unit="bytes") as task,
        replacing(path) as stream,
    ):
        sink = _Counting(stream, task.advance)
        size = write_bundle(sink, lock.name, locked.id, members, epoch(lock.as_of))
    return Bundled(lock.name, locked.id, path, len(members), size)


def check_bundle(project: Project, path: Path) -> Bundled:
    """Verify a bundle: every byte, and that it is complete for its lock.

    Raises ``IntegrityError`` with what is wrong. Stores nothing.
    """
    content = _read(project, path, None)
    _require_runtime_in(content, _locked_of(content, path), path)
    size = sum(member.size for member in content.index.files.values())
    return Bundled(
        content.index.environment, content.index.lock_id, path, len(content.index.files), size
    )


def take_bundle(project: Project, path: Path) -> str:
    """Import a bundle's blobs into the store and its lock into the project.

    Returns the environment. Raises ``LockError`` when the project has another lock of that
    environment, ``IntegrityError`` when the bundle is incomplete.
    """
    content = _read(project, path, project.store)
    lock = _locked_of(content, path)
    folder = project.root / LOCKS / lock.name
    present = folder / LOCK_FILE
    if present.is_file() and lock_id(present.read_bytes()) != content.index.lock_id:
        raise LockError(
            f"the project has another lock of {lock.name} than the bundle",
            where=Where(f"{LOCKS}/{lock.name}/{LOCK_FILE}"),
            found=short_id(lock_id(present.read_bytes())),
            expected=short_id(content.index.lock_id),
            hint="work in another folder, or remove the lock there",
        )
    for name, data in sorted(content.files.items(), key=lambda item: item[0] == LOCK_FILE):
        target = folder / name
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(target, data)
    keep_runtime(project, lock)
    return lock.name


def take_past_bundle(project: Project, path: Path, name: str | None) -> tuple[str, str]:
    """Import a bundle's blobs for an earlier lock; return environment and lock ID.

    The project's current lock and files are not changed. Raises ``LockError`` when the bundle is of
    another environment than the named one, or its lock is not in the history, ``IntegrityError``
    when it is incomplete.
    """
    content = _read(project, path, project.store)
    lock = _locked_of(content, path)
    if name is not None and lock.name != name:
        raise LockError(
            f"{path.name} is a bundle of {lock.name}, not of {name}", where=Where(str(path))
        )
    known = history(project, lock.name).generations
    if not any(one.lock_id == content.index.lock_id for one in known):
        raise LockError(
            f"the lock in {path.name} is not in the history of {lock.name}",
            where=Where(str(path)),
            found=f"lock {short_id(content.index.lock_id)}",
            hint=f"`freeze log {lock.name}` lists its locks",
        )
    return lock.name, content.index.lock_id


def _members(locked: Locked, store: Store) -> dict[str, Content]:
    found = {}
    for file in (locked.folder / LOCK_FILE, locked.folder / REQUIREMENTS_FILE):
        if file.is_file():
            found[f"lock/{file.name}"] = content_of(file.read_bytes())
    for reference in sorted((locked.folder / "references").glob("*.json")):
        found[f"lock/references/{reference.name}"] = content_of(reference.read_bytes())
    for sha256 in (*needed_blobs(locked.lock), locked.lock.inside.sha256):
        path = store.verified(sha256)
        found[f"blobs/sha256/{sha256}"] = Content(path.stat().st_size, sha256, _opener(path))
    return found


def _opener(path: Path) -> Callable[[], IO[bytes]]:
    return lambda: path.open("rb")


def needed_blobs(lock: Lock) -> set[str]:
    """Return the SHA-256 of every file that building a lock takes, but for Freezer's runtime."""
    artifacts = {artifact.sha256 for artifact in lock_artifacts(lock)}
    smoke = {file.sha256 for file in lock.own_files}
    return artifacts | smoke | set(base_blobs(lock.base))


def _locked_of(content: Bundle, path: Path) -> Lock:
    """Return the bundle's lock, after checking its ID and that the bundle is complete."""
    data = content.files.get(LOCK_FILE)
    listed = data is not None and lock_id(data) == content.index.lock_id
    lock = parse_lock(data, f"{path.name}:{LOCK_FILE}") if listed and data else None
    if lock is None or lock.name != content.index.environment:
        raise IntegrityError(
            "the bundle does not contain the lock that it names",
            where=Where(str(path)),
            hint="create it again with `freeze bundle`",
        )
    if missing := sorted(needed_blobs(lock) - content.blobs):
        raise IntegrityError(
            f"the bundle lacks {len(missing)} of the files that its lock needs",
            where=Where(str(path)),
            details=missing[:10],
            hint="create it again with `freeze bundle`",
        )
    return lock


def _require_runtime_in(content: Bundle, lock: Lock, path: Path) -> None:
    """Raise an error for a bundle without Freezer's runtime; the first versions wrote such."""
    if lock.inside.sha256 not in {*content.blobs, inside_digest()[1]}:
        raise IntegrityError(
            "the bundle lacks Freezer's runtime",
            where=Where(str(path)),
            expected=f"freezer_inside {lock.inside.version}, sha256 {lock.inside.sha256[:12]}",
            hint="build it with the Freezer that made it, or in a project whose lockfiles have it",
        )


def _read(project: Project, path: Path, store: Store | None) -> Bundle:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise HostError(
            "the bundle cannot be read", where=Where(str(path)), found=error.strerror
        ) from error
    with project.report.task("Verifying the bundle", total=size, unit="bytes") as task:
        return read_bundle(path, _Blobs(store, task.advance))


class _Blobs:
    """Verifies the blobs of a bundle, and stores them if there is a store."""

    def __init__(self, store: Store | None, advance: Callable[[int], None]) -> None:
        self._store = store
        self._advance = advance

    def take(self, sha256: str, stream: IO[bytes]) -> None:
        if self._store is None or self._store.has(sha256):
            hasher = hashlib.sha256()
            for block in self._blocks(stream):
                hasher.update(block)
            self._require_hash(sha256, hasher.hexdigest())
            return
        with self._store.writer(sha256=sha256) as writer:
            for block in self._blocks(stream):
                writer.write(block)

    def _blocks(self, stream: IO[bytes]) -> Iterator[bytes]:
        while block := stream.read(_COPY):
            self._advance(len(block))
            yield block

    @staticmethod
    def _require_hash(expected: str, found: str) -> None:
        if found != expected:
            raise IntegrityError(
                "a file of the bundle does not have the hash in its name",
                found=f"sha256 {found}",
                expected=f"sha256 {expected}",
                hint="get the bundle again: it may be truncated or tampered with",
            )


class _Counting:
    """Passes bytes on and reports their number."""

    def __init__(self, stream: IO[bytes], advance: Callable[[int], None]) -> None:
        self._stream = stream
        self._advance = advance

    def write(self, data: bytes, /) -> int:
        self._advance(len(data))
        return self._stream.write(data)

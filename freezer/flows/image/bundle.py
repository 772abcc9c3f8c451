"""``freeze bundle``: all that an image is made from in one file, for hosts without a network."""

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
    """Write a bundle of an environment's lock, whole or not at all; equal locks give equal bytes.

    Raises what fetching raises, and ``HostError`` when the disk is full.
    """
    locked = load_current_lock(project, name)
    lock, store = locked.lock, project.store
    require_runtime(project, lock)  # before anything that takes time
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
    """Verify a bundle: every byte, and that nothing which its lock needs is missing.

    Raises ``IntegrityError`` naming what is wrong. Keeps nothing.
    """
    held = _read(project, path, None)
    _require_runtime_in(held, _locked_of(held, path), path)
    size = sum(member.size for member in held.index.files.values())
    return Bundled(held.index.environment, held.index.lock_id, path, len(held.index.files), size)


def take_bundle(project: Project, path: Path) -> str:
    """Bring a bundle's blobs into the store, and its lock into the project; return the environment.

    Raises ``LockError`` when the project has another lock of that environment, ``IntegrityError``
    when the bundle is not whole.
    """
    held = _read(project, path, project.store)
    lock = _locked_of(held, path)
    folder = project.root / LOCKS / lock.name
    there = folder / LOCK_FILE
    if there.is_file() and lock_id(there.read_bytes()) != held.index.lock_id:
        raise LockError(
            f"the project has another lock of {lock.name} than the bundle",
            where=Where(f"{LOCKS}/{lock.name}/{LOCK_FILE}"),
            found=short_id(lock_id(there.read_bytes())),
            expected=short_id(held.index.lock_id),
            hint="work in another folder, or remove the lock there",
        )
    for name, data in sorted(held.files.items(), key=lambda item: item[0] == LOCK_FILE):
        target = folder / name
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(target, data)
    keep_runtime(project, lock)
    return lock.name


def take_past_bundle(project: Project, path: Path, name: str | None) -> tuple[str, str]:
    """Bring a bundle's blobs into the store for a lock of the past; return environment and lock ID.

    The project's own lock and files stay as they are. Raises ``LockError`` when the bundle is of
    another environment than the named one, or its lock is not in the history, ``IntegrityError``
    when it is not whole.
    """
    held = _read(project, path, project.store)
    lock = _locked_of(held, path)
    if name is not None and lock.name != name:
        raise LockError(
            f"{path.name} is a bundle of {lock.name}, not of {name}", where=Where(str(path))
        )
    known = history(project, lock.name).generations
    if not any(one.lock_id == held.index.lock_id for one in known):
        raise LockError(
            f"the lock in {path.name} is none of the history of {lock.name}",
            where=Where(str(path)),
            found=f"lock {short_id(held.index.lock_id)}",
            hint=f"`freeze log {lock.name}` lists those that are",
        )
    return lock.name, held.index.lock_id


def _members(locked: Locked, store: Store) -> dict[str, Content]:
    found = {}
    for file in (locked.folder / LOCK_FILE, locked.folder / REQUIREMENTS_FILE):
        if file.is_file():
            found[f"lock/{file.name}"] = content_of(file.read_bytes())
    for reference in sorted((locked.folder / "references").glob("*.json")):
        found[f"lock/references/{reference.name}"] = content_of(reference.read_bytes())
    for sha256 in (*_needed(locked.lock), locked.lock.inside.sha256):
        path = store.verified(sha256)
        found[f"blobs/sha256/{sha256}"] = Content(path.stat().st_size, sha256, _opener(path))
    return found


def _opener(path: Path) -> Callable[[], IO[bytes]]:
    return lambda: path.open("rb")


def _needed(lock: Lock) -> set[str]:
    artifacts = {artifact.sha256 for artifact in lock_artifacts(lock)}
    smoke = {file.sha256 for file in lock.own_files}
    return artifacts | smoke | set(base_blobs(lock.base))


def _locked_of(held: Bundle, path: Path) -> Lock:
    """Return the bundle's lock after seeing that it is the one named, and complete."""
    data = held.files.get(LOCK_FILE)
    named = data is not None and lock_id(data) == held.index.lock_id
    lock = parse_lock(data, f"{path.name}:{LOCK_FILE}") if named and data else None
    if lock is None or lock.name != held.index.environment:
        raise IntegrityError(
            "the bundle does not hold the lock that it names",
            where=Where(str(path)),
            hint="make it again with `freeze bundle`",
        )
    if missing := sorted(_needed(lock) - held.blobs):
        raise IntegrityError(
            f"the bundle lacks {len(missing)} of the files that its lock needs",
            where=Where(str(path)),
            details=missing[:10],
            hint="make it again with `freeze bundle`",
        )
    return lock


def _require_runtime_in(held: Bundle, lock: Lock, path: Path) -> None:
    """See that a bundle has Freezer's runtime: the first Freezers' have not, and need theirs."""
    if lock.inside.sha256 not in {*held.blobs, inside_digest()[1]}:
        raise IntegrityError(
            "the bundle lacks Freezer's runtime",
            where=Where(str(path)),
            expected=f"freezer_inside {lock.inside.version}, sha256 {lock.inside.sha256[:12]}",
            hint="build it with the Freezer that made it, or in a project whose lockfiles keep it",
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
    """Verifies the blobs of a bundle, and keeps them where there is a store."""

    def __init__(self, store: Store | None, advance: Callable[[int], None]) -> None:
        self._store = store
        self._advance = advance

    def take(self, sha256: str, stream: IO[bytes]) -> None:
        if self._store is None or self._store.has(sha256):
            hasher = hashlib.sha256()
            for block in self._blocks(stream):
                hasher.update(block)
            self._demand(sha256, hasher.hexdigest())
            return
        with self._store.writer(sha256=sha256) as writer:
            for block in self._blocks(stream):
                writer.write(block)

    def _blocks(self, stream: IO[bytes]) -> Iterator[bytes]:
        while block := stream.read(_COPY):
            self._advance(len(block))
            yield block

    @staticmethod
    def _demand(expected: str, found: str) -> None:
        if found != expected:
            raise IntegrityError(
                "a file of the bundle is not what its name says",
                found=f"sha256 {found}",
                expected=f"sha256 {expected}",
                hint="get the bundle anew: it may be cut off or tampered with",
            )


class _Counting:
    """Passes on what it is given, and says how much that was."""

    def __init__(self, stream: IO[bytes], advance: Callable[[int], None]) -> None:
        self._stream = stream
        self._advance = advance

    def write(self, data: bytes, /) -> int:
        self._advance(len(data))
        return self._stream.write(data)

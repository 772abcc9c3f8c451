"""The artifact store: files by SHA-256, and small memos, safe for concurrent processes.

A file has its name only when it is complete and hashed. Partial downloads are stored next to the
blobs under their expected hash, so that a later run resumes them.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar, overload

from freezer.errors import BusyError, HostError, IntegrityError
from freezer.fetch.store.atomic import store_errors, write_atomically
from freezer.fetch.store.file_lock import file_lock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freezer.model.events import Reporter

_BLOCK = 1 << 20
_DIGEST = 32
"""Bytes of a SHA-256."""
T = TypeVar("T")


class StoreWriter:
    """Receives a file; its hash and size are known after the ``with`` block."""

    def __init__(self, stream: BinaryIO, root: Path) -> None:
        self._stream = stream
        self._root = root
        self._hasher = hashlib.sha256()
        self.size = 0

    @property
    def sha256(self) -> str:
        """The SHA-256 of the bytes written so far."""
        return self._hasher.hexdigest()

    def write(self, data: bytes) -> int:
        """Append bytes. Raises ``HostError`` when the disk is full."""
        with store_errors(self._root):
            self._stream.write(data)
        self._hasher.update(data)
        self.size += len(data)
        return len(data)


class Store:
    """A folder of files by hash. Everything in it can be deleted and made again."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._blobs = root / "blobs" / "sha256"
        self._memos = root / "memos"
        self._partial = root / "partial"
        self._scratch = root / "scratch"
        self._locks = root / "locks"
        self.spoiled: set[str] = set()
        """Corrupt files that this process removed, by SHA-256."""

    @classmethod
    def open(cls, root: Path | None = None) -> Store:
        """Open the store at ``root``, ``$FREEZER_STORE`` or ``$XDG_CACHE_HOME/freezer``.

        Raises ``HostError`` when it cannot be created or written to.
        """
        store = cls((root or _default_root()).expanduser().absolute())
        folders = (store._blobs, store._memos, store._partial, store._scratch, store._locks)
        with store_errors(store.root):
            for folder in folders:
                folder.mkdir(parents=True, exist_ok=True)
        if not os.access(store._blobs, os.W_OK):
            raise HostError(
                f"the store {store.root} cannot be written to",
                hint="set FREEZER_STORE to a writable folder",
            )
        store._sweep()
        return store

    def path(self, sha256: str) -> Path:
        """Return the path of a file, existing or not."""
        return self._blobs / sha256[:2] / sha256

    def partial(self, sha256: str) -> Path:
        """Return the path of a file's partial download."""
        return self._partial / sha256

    def has(self, sha256: str) -> bool:
        """Return whether a file is in the store and intact.

        A corrupt one is removed and added to ``spoiled``, so that it counts as missing: a run
        fetches or makes all such files again at once.
        """
        if not self.path(sha256).is_file():
            return False
        try:
            self.verified(sha256)
        except HostError:  # another process has just removed it
            return False
        except IntegrityError:
            self.spoiled.add(sha256)
            return False
        return True

    def verified(self, sha256: str) -> Path:
        """Return a file's path, hashed again unless it is unchanged since it was last hashed.

        Raises ``IntegrityError`` when its bytes differ (it is then removed) and ``HostError`` when
        it is missing.
        """
        path = self.path(sha256)
        try:
            stamp = _stamp(path)
            if self.get_memo("verified", sha256) == stamp:
                return path
            found = hash_file(path)
        except FileNotFoundError:
            raise HostError(
                f"the store does not contain {sha256[:12]}", hint="run `freeze fetch` first"
            ) from None
        if found != sha256:
            path.unlink(missing_ok=True)
            raise IntegrityError(
                "a file in the store was changed, and has been removed",
                found=found,
                expected=sha256,
                hint="repeat the command; it fetches the file again",
            )
        self.put_memo("verified", sha256, stamp)
        return path

    def put_bytes(self, data: bytes) -> str:
        """Store some bytes; return their SHA-256."""
        with self.writer() as writer:
            writer.write(data)
        return writer.sha256

    def put_file(self, source: Path, *, sha256: str | None = None, move: bool = False) -> str:
        """Store a file; return its SHA-256.

        Raises ``IntegrityError`` when that is not the expected ``sha256``.
        """
        if move:
            found = hash_file(source)
            self._require_hash(found, sha256, source)
            self._adopt(source, found)
            return found
        with source.open("rb") as stream, self.writer(sha256=sha256) as writer:
            while block := stream.read(_BLOCK):
                writer.write(block)
        return writer.sha256

    @contextmanager
    def writer(self, *, sha256: str | None = None) -> Iterator[StoreWriter]:
        """Open a file to be stored; nothing is stored when the block fails."""
        with store_errors(self.root):
            import tempfile  # takes longer to load than a memo to read

            handle, name = tempfile.mkstemp(dir=self._partial, prefix=f"new-{os.getpid()}-")
        temporary = Path(name)
        try:
            stream = os.fdopen(handle, "wb", buffering=_BLOCK)
            try:
                writer = StoreWriter(stream, self.root)
                yield writer
            finally:
                with store_errors(self.root):  # closing flushes the rest, and may fail again
                    stream.close()
            self._require_hash(writer.sha256, sha256, temporary)
            self._adopt(temporary, writer.sha256)
        finally:
            temporary.unlink(missing_ok=True)

    @overload
    def get_memo(self, kind: str, key: str) -> Any | None: ...
    @overload
    def get_memo(self, kind: str, key: str, form: type[T]) -> T | None: ...
    def get_memo(self, kind: str, key: str, form: Any = None) -> Any | None:
        """Return a memo; None when there is none, or none that can be read.

        With a ``form``, a type that pydantic knows how to validate (``list[str]``, a ``TypedDict``,
        a dataclass), a memo of another form counts as none: another version of Freezer wrote it, or
        something else did.
        """
        try:
            data = self._memo(kind, key).read_bytes()
            return (
                json.loads(data)
                if form is None
                else _adapter(form).validate_json(data, strict=True)
            )
        except (OSError, ValueError, RecursionError):
            return None

    def put_memo(self, kind: str, key: str, document: Any) -> None:
        """Store a small JSON document under a kind and a key."""
        self._write_memo(kind, key, json.dumps(document).encode())

    def get_packed_memo(self, kind: str, key: str) -> bytes | None:
        """Return what `put_packed_memo` stored; None when nothing is there, or other bytes are."""
        try:
            data = self._memo(kind, key).read_bytes()
        except OSError:
            return None
        packed = data[_DIGEST:]
        return packed if hashlib.sha256(packed).digest() == data[:_DIGEST] else None

    def put_packed_memo(self, kind: str, key: str, data: bytes) -> None:
        """Store bytes under a kind and a key: what JSON would take too long for."""
        self._write_memo(kind, key, hashlib.sha256(data).digest() + data)

    def _write_memo(self, kind: str, key: str, data: bytes) -> None:
        path = self._memo(kind, key)
        with store_errors(self.root):
            path.parent.mkdir(parents=True, exist_ok=True)
            # Not synced: one that is corrupted by a power failure is made again.
            write_atomically(path, data, durable=False)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Yield a temporary folder on the store's file system."""
        with store_errors(self.root):
            import tempfile

            folder = Path(tempfile.mkdtemp(dir=self._scratch, prefix=f"{os.getpid()}-"))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def lock(self, name: str, *, timeout: float, report: Reporter) -> Iterator[None]:
        """Lock a name for this process; reports waiting. ``BusyError`` after ``timeout`` s."""
        path = self._locks / f"{name}.lock"
        with file_lock(path, timeout=0) as free:
            if free:
                yield
                return
        report.note("Another freeze process works on this; waiting for it to finish")
        with file_lock(path, timeout=timeout) as free:
            if not free:
                raise BusyError(
                    f"another freeze process still works on this after {timeout:.0f} seconds",
                    hint="wait for it to finish, or end it, then try again",
                )
            yield

    def _adopt(self, temporary: Path, sha256: str) -> None:
        path = self.path(sha256)
        with store_errors(self.root):
            path.parent.mkdir(exist_ok=True)
            temporary.chmod(0o444)
            temporary.replace(path)
            self.put_memo("verified", sha256, _stamp(path))

    @staticmethod
    def _require_hash(found: str, sha256: str | None, path: Path) -> None:
        if sha256 is not None and found != sha256:
            raise IntegrityError(
                f"{path.name} is not the file that was locked", found=found, expected=sha256
            )

    def _memo(self, kind: str, key: str) -> Path:
        name = hashlib.sha256(key.encode()).hexdigest()
        return self._memos / kind / name[:2] / name

    def _sweep(self) -> None:
        """Remove scratch folders and unfinished files of killed processes.

        Partial downloads have their expected name, and are kept for resuming.
        """
        for folder in self._scratch.iterdir():
            owner = folder.name.partition("-")[0]
            if owner.isdigit() and not _alive(int(owner)):
                shutil.rmtree(folder, ignore_errors=True)
        for path in self._partial.glob("new-*-*"):
            owner = path.name.split("-")[1]
            if owner.isdigit() and not _alive(int(owner)):
                path.unlink(missing_ok=True)


@lru_cache
def _adapter(form: Any) -> Any:
    from pydantic import TypeAdapter  # imported late: often not needed

    return TypeAdapter(form)


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _default_root() -> Path:
    if explicit := os.environ.get("FREEZER_STORE"):
        return Path(explicit)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "freezer"


def _stamp(path: Path) -> list[int]:
    info = path.stat()
    return [info.st_size, info.st_mtime_ns, info.st_ino]


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """Return whether a process has ended but was not reaped, as often in containers."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2]
    except OSError:
        return False  # not Linux, or just ended: left to the next run
    return state[:1] in ("Z", "X")

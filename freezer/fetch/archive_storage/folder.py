"""An archive in a folder: a version is written aside and then put in place whole."""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

from freezer.errors import BusyError, HostError, IntegrityError, Where
from freezer.fetch.archive_storage.interface import (
    BLOCK,
    OBJECT_MARK,
    Draft,
    NotStoredError,
    Storage,
    Stored,
    changed_meanwhile,
)
from freezer.fetch.store.atomic import disk_errors, write_atomically
from freezer.fetch.store.file_lock import file_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from freezer.fetch.archive_storage.interface import Head, Source

_ASIDE: Final = ".writing"
_REMOVING: Final = ".removing-"
_PATIENCE: Final = 600.0
"""Seconds to wait for another process that writes to the archive."""


class FolderStorage(Storage):
    """A folder of this host."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.address = str(root)

    def files(self, folder: str = "") -> Mapping[str, Stored]:
        """Return the files below a folder; links and other special files count as well."""
        base = self.root / folder
        try:
            found = [path for path in base.rglob("*") if path.is_symlink() or not path.is_dir()]
            return {path.relative_to(base).as_posix(): _stored(path) for path in sorted(found)}
        except OSError as error:
            raise _unreadable(base, error) from None

    def objects(self) -> list[str]:
        """Return the names of the folders."""
        try:
            folders = [path.name for path in self.root.iterdir() if path.is_dir()]
        except OSError as error:
            raise _unreadable(self.root, error) from None
        return sorted(name for name in folders if name[0] != ".")

    def exists(self, path: str) -> bool:
        """Return whether a regular file is there."""
        return (self.root / path).is_file()

    def blocks(self, path: str, version: str | None = None) -> Iterator[bytes]:
        """Yield the bytes of a regular file."""
        del version
        file = self.root / path
        if file.is_symlink() or not file.is_file():
            missing = not os.path.lexists(file)
            raise NotStoredError("it is gone" if missing else "not a regular file")
        try:
            with file.open("rb") as stream:
                while block := stream.read(BLOCK):
                    yield block
        except OSError as error:
            raise _unreadable(file, error) from None

    def is_empty(self) -> bool:
        """Return whether the folder is empty, or not there."""
        try:
            return not os.path.lexists(self.root) or not any(self.root.iterdir())
        except NotADirectoryError:
            return False
        except OSError as error:
            raise _unreadable(self.root, error) from None

    def start(self, files: Mapping[str, bytes]) -> None:
        """Make the folder with its small files."""
        with _disk_errors(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            for file, data in files.items():
                write_atomically(self.root / file, data)

    @contextmanager
    def draft(self, name: str, number: int) -> Iterator[Draft]:
        """Write a version in ``.writing``, and put it in place by a rename."""
        folder = self.root / name
        with _disk_errors(self.root):
            existed = folder.exists()
            shutil.rmtree(folder / _ASIDE, ignore_errors=True)
            (folder / _ASIDE).mkdir(parents=True)
            try:
                yield _FolderDraft(self.root, folder, number)
            finally:
                shutil.rmtree(folder / _ASIDE, ignore_errors=True)
                if not existed and not any(folder.iterdir()):
                    folder.rmdir()

    def complete(self, name: str, head: Head) -> None:
        """Write the object's own inventory, which makes the version count."""
        folder = self.root / name
        with _disk_errors(self.root):
            write_atomically(folder / OBJECT_MARK, _MARK_DATA)
            for file, data in head.files.items():
                write_atomically(folder / file, data)

    def remove(self, name: str) -> None:
        """Remove an object: it is renamed first, so that it is there whole or not at all."""
        with _disk_errors(self.root):
            aside = self.root / f"{_REMOVING}{name}"
            shutil.rmtree(aside, ignore_errors=True)
            (self.root / name).rename(aside)
            shutil.rmtree(aside)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Let one process at a time write; the lock is next to the archive, not in it."""
        root = self.root.absolute()
        with ExitStack() as stack:
            with _disk_errors(root.parent):
                root.parent.mkdir(parents=True, exist_ok=True)
                lock = file_lock(root.with_name(f".{root.name}.lock"), timeout=_PATIENCE)
                free = stack.enter_context(lock)
            if not free:
                raise BusyError(
                    "another process writes to this archive", where=Where(self.address),
                    hint="try again later",
                )  # fmt: skip
            yield


_MARK_DATA: Final = b"ocfl_object_1.1\n"


class _FolderDraft(Draft):
    """A version in the making."""

    def __init__(self, root: Path, folder: Path, number: int) -> None:
        self._root = root
        self._folder = folder
        self._aside = folder / _ASIDE
        self._number = number

    def put(self, path: str, source: Source, advance: Callable[[int], None]) -> None:
        target = self._aside / path
        target.parent.mkdir(parents=True, exist_ok=True)
        hasher = hashlib.sha256()
        with source.open() as stream, target.open("xb") as out:
            while block := stream.read(BLOCK):
                hasher.update(block)
                out.write(block)
                advance(len(block))
            out.flush()
            os.fsync(out.fileno())
        if hasher.hexdigest() != source.sha256:
            raise changed_meanwhile(path, hasher.hexdigest(), source.sha256)

    def copy(self, source: str, path: str) -> None:
        target = self._aside / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if not (self._root / source).is_file():
            raise IntegrityError("a file of the archive is gone", where=Where(source))
        try:  # the original goes soon, so that no two names of one file stay
            target.hardlink_to(self._root / source)
        except OSError:
            shutil.copyfile(self._root / source, target)

    def publish(self, head: Head, needed: Mapping[str, str]) -> None:
        del needed
        for file, data in head.files.items():
            write_atomically(self._aside / file, data)
        place = self._folder / f"v{self._number}"
        if place.exists():  # of a run that ended before the inventory named it
            shutil.rmtree(place)
        self._aside.rename(place)


@contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    """Convert whatever a disk refuses to a ``HostError``."""
    try:
        with disk_errors(folder):
            yield
    except OSError as error:
        raise HostError(
            "the archive cannot be written", where=Where(str(error.filename or folder)),
            found=error.strerror or str(error), hint="name another folder",
        ) from error  # fmt: skip


def _stored(path: Path) -> Stored:
    return Stored(path.lstat().st_size)


def _unreadable(path: Path, error: OSError) -> HostError:
    return HostError(
        "the archive cannot be read", where=Where(str(path)), found=error.strerror or str(error)
    )

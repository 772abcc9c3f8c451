"""Atomic file writes, for all of Freezer.

A file is written under a temporary name in the same folder, ``.NAME.XXXXXXXX.part``, and renamed: a
reader sees the old bytes or the new ones. The writer holds an advisory lock on it. A temporary file
that can be locked was therefore left by a killed process, and is removed by the next write of the
same file.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
import stat
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from freezer.errors import HostError, Where

if TYPE_CHECKING:
    from collections.abc import Iterator

_MARK: Final = 4
"""Random bytes in a temporary name."""
_PARTIAL: Final = re.compile(r"\.(?P<name>.+)\.(?:[0-9a-f]{8}|[0-9]{1,10})\.part")
"""A temporary file; those of earlier versions have a process ID instead of random bytes."""


def write_atomically(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Replace a file's content atomically. See `replacing`."""
    with replacing(path, durable=durable) as stream:
        stream.write(data)


@contextmanager
def replacing(path: Path, *, durable: bool = False) -> Iterator[IO[bytes]]:
    """Open a file that replaces ``path`` when the block ends without an error.

    Never partial after a kill; with ``durable``, nor after a power failure. A device such as
    ``/dev/stdout`` is written to, never replaced. Raises ``HostError`` for a pipe, a socket or a
    disk of that name.
    """
    if _is_device(path):
        with path.open("wb") as device:
            yield device
        return
    sweep(path.parent, path.name)
    temporary, stream = _open_temporary(path)
    try:
        with stream:
            yield stream
            stream.flush()
            if durable:
                os.fsync(stream.fileno())
            # Renamed while locked, so no other process considers it abandoned.
            temporary.replace(path)
        if durable:
            _sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _is_device(path: Path) -> bool:
    """Return whether a path names a character device or an open file of a process.

    Renaming a file to it would remove the device, ``/dev/null`` for all programs.
    """
    try:
        mode = path.stat().st_mode
        target = path.parent / path.readlink() if path.is_symlink() else path
        is_open_file = target.parent.resolve().match("/proc/*/fd")
    except OSError:  # there is nothing yet
        return False
    if stat.S_ISCHR(mode) or is_open_file:
        return True
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        return False
    raise HostError(
        "this is no regular file", where=Where(str(path)), expected="a file's name, or /dev/stdout"
    )


def sweep(folder: Path, name: str | None = None) -> None:
    """Remove temporary files of killed processes from a folder, or those of one file."""
    with suppress(OSError):
        for entry in list(os.scandir(folder)):
            found = _PARTIAL.fullmatch(entry.name)
            if found and name in (None, found["name"]) and entry.is_file(follow_symlinks=False):
                _remove_abandoned(Path(entry.path))


def _remove_abandoned(path: Path) -> None:
    with suppress(OSError), path.open("rb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails while its writer is alive
        path.unlink(missing_ok=True)


def _open_temporary(path: Path) -> tuple[Path, IO[bytes]]:
    while True:
        temporary = path.with_name(f".{path.name}.{os.urandom(_MARK).hex()}.part")
        # Opened with the default mode: the umask applies, unlike with `tempfile`.
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        stream = os.fdopen(handle, "wb")
        with suppress(OSError):  # file systems without locks, where nothing is swept either
            fcntl.flock(stream, fcntl.LOCK_EX)
        if os.fstat(handle).st_nlink:
            return temporary, stream
        stream.close()  # another process swept it between its creation and the lock


def _sync_folder(folder: Path) -> None:
    """Make a rename durable: the name is stored in the folder."""
    with suppress(OSError):  # unsupported by some file systems
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


_STORE_FULL: Final = "free some space there, or set FREEZER_STORE to a folder on another disk"
_STORE_CLOSED: Final = "set FREEZER_STORE to a folder that you may write to"


@contextmanager
def store_errors(root: Path) -> Iterator[None]:
    """Convert a full or read-only disk, or missing permissions, to a ``HostError``."""
    with disk_errors(root, full=_STORE_FULL, closed=_STORE_CLOSED):
        yield


@contextmanager
def disk_errors(
    folder: Path, *, full: str = "free some space there", closed: str | None = None
) -> Iterator[None]:
    """Convert a full or read-only disk, or missing permissions, to a ``HostError``.

    The error names the folder; ``full`` and ``closed`` are the next steps.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise HostError(
                f"no space left on the disk of {folder}", found=_space(folder), hint=full
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            place = _closed(Path(os.fsdecode(error.filename or folder)))
            raise HostError(
                f"{place} is not writable",
                found=error.strerror,
                hint=closed or _next(place, read_only=error.errno == errno.EROFS),
            ) from error
        raise


def _closed(path: Path) -> Path:
    """Return the path without permission: an existing file, else its folder."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def _next(place: Path, *, read_only: bool) -> str:
    if read_only:
        return "mount it writable, or work on a copy of the project"
    with suppress(OSError):
        owner = place.stat().st_uid
        if owner != os.getuid():
            return (
                f"it belongs to user {owner}, and you are {os.getuid()}: change its owner or mode"
            )
    return "change its mode, or work on a copy of the project"


def _space(root: Path) -> str:
    with suppress(OSError):
        return f"{shutil.disk_usage(root).free >> 20} MiB free"
    return "unknown"

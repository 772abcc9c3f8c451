"""A lock on a file, held by one process at a time.

``flock`` by the standard library. The library ``filelock`` does the same, and loads asyncio and
multiprocessing for it; it is used where a file system has no ``flock``.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_POLL: Final = 0.05
"""Seconds between two attempts."""
_HELD: Final = (errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK)
_MISSING: Final = (errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK)
"""What a file system without ``flock`` answers."""


@contextmanager
def file_lock(path: Path, *, timeout: float) -> Iterator[bool]:
    """Hold a lock file; yield False at once where it is held by another after ``timeout`` seconds.

    The file is made where there is none, and stays: whoever waits has it open. Raises ``OSError``
    where it cannot be made.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    try:
        held = _wait(handle, timeout)
        if held is None:
            with _soft_lock(path, timeout) as soft:
                yield soft
            return
        try:
            yield held
        finally:
            if held:
                fcntl.flock(handle, fcntl.LOCK_UN)  # also for a child that has it open
    finally:
        os.close(handle)


def _wait(handle: int, timeout: float) -> bool | None:
    """Return whether the lock was got in time; None where the file system has none."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _MISSING:
                return None
            if error.errno not in _HELD:
                raise
        else:
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL)


@contextmanager
def _soft_lock(path: Path, timeout: float) -> Iterator[bool]:
    """Hold a lock that is a file's existence."""
    import filelock

    lock = filelock.SoftFileLock(f"{path}.soft")
    try:
        lock.acquire(timeout=timeout)
    except filelock.Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()

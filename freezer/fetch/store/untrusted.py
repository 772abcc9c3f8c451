"""Reads files that a container, a host or another user may have written."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def read_untrusted(path: Path, limit: int) -> bytes:
    """Return the first ``limit`` bytes of a regular file, reached without a link at its end.

    Raises ``OSError``, also for a pipe, whose reader would wait until something writes to it.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as stream:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        return stream.read(limit)

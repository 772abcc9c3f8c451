"""Reads untrusted files of a project.

Freezer writes regular files in regular folders. A link may lead to bytes that no commit contains,
and a pipe blocks its reader, so both are errors.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

LARGEST: Final = 64 << 20
"""Maximum bytes of a file of a history, or next to a lock."""


def read_regular(folder: Path, name: str) -> bytes:
    """Return the bytes of a regular file below a folder, reached without a link.

    Raises ``OSError`` whose ``strerror`` describes what was found instead.
    """
    path = folder / name
    for parent in path.relative_to(folder).parents[:-1]:
        if (folder / parent).is_symlink():
            raise OSError(errno.ELOOP, f"a link instead of the folder {parent}")
    if path.is_symlink():
        raise OSError(errno.ELOOP, "a link instead of a file")
    # Non-blocking: opening a pipe blocks until something writes to it.
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as stream:
        status = os.fstat(handle)
        if stat.S_ISDIR(status.st_mode):
            raise OSError(errno.EISDIR, "a folder instead of a file")
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        data = stream.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise OSError(errno.EFBIG, f"a file of over {LARGEST >> 20} MiB")
    return data

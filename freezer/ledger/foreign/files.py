"""Files in a folder that a training wrote, opened without following links."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from freezer.ledger.foreign.found import Budget


@dataclass(frozen=True)
class Folder:
    """Files below a folder."""

    root: Path
    sizes: Mapping[str, int]
    """Sizes in bytes of regular files, by path with ``/``."""

    def open(self, path: str) -> IO[bytes]:
        """Open a file for reading: no link, no pipe. Raises ``OSError``."""
        handle = os.open(
            self.root / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        )
        stream = os.fdopen(handle, "rb")
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            stream.close()
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), path)
        return stream

    def text(self, path: str, limit: int, budget: Budget) -> str | None:
        """Return a small text file; None for one that is too large or cannot be read."""
        try:
            with self.open(path) as stream:
                data = stream.read(limit + 1)
        except OSError as error:
            budget.note(f"{ascii(path)[1:-1]}: {error.strerror}")
            return None
        if len(data) > limit or not budget.takes_bytes(len(data)):
            budget.note(f"{ascii(path)[1:-1]}: more than {limit} bytes")
            return None
        return data.decode("utf-8", "replace")


def scan(root: Path, most: int = 1_000_000) -> Folder:
    """Return the regular files below a folder, links left out; at most so many."""
    sizes: dict[str, int] = {}
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)  # noqa: PTH118 - a million of them
            status = os.lstat(path)
            if stat.S_ISREG(status.st_mode) and len(sizes) < most:
                sizes[os.path.relpath(path, root)] = status.st_size
    return Folder(root, sizes)

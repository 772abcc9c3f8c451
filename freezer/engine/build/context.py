"""A build context as a deterministic USTAR stream.

USTAR because BuildKit's upload detection mistakes the SDK's PAX archives for a Dockerfile.
"""

from __future__ import annotations

import os
import stat
import tarfile
from typing import TYPE_CHECKING

from freezer.engine.link import host_error
from freezer.engine.tarstream import Entry
from freezer.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EPOCH = 946_684_800
"""2000-01-01T00:00:00Z: zip archives, hence wheels, have no times before 1980."""


def entries(folder: Path, *, epoch: int = EPOCH) -> Iterator[Entry]:
    """Yield folders and files below ``folder`` by name, with owner 0, mode 0644 or 0755, one time.

    Raises ``HostError`` for unsupported files: devices, sockets, links that lead out.
    """
    for path in _walk(folder):
        yield _entry(path, path.relative_to(folder).as_posix(), folder, epoch)


def _walk(folder: Path) -> Iterator[Path]:
    try:
        found = sorted(folder.iterdir(), key=lambda path: path.name)
    except OSError as error:
        raise host_error("reading the build context", error) from error
    for path in found:
        yield path
        if path.is_dir() and not path.is_symlink():
            yield from _walk(path)


def _entry(path: Path, name: str, root: Path, epoch: int) -> Entry:
    status = path.lstat()
    header = tarfile.TarInfo(name)
    header.mtime = epoch
    header.mode = 0o755 if status.st_mode & stat.S_IXUSR else 0o644
    if stat.S_ISREG(status.st_mode):
        header.size = status.st_size
        return Entry(header, path)
    if stat.S_ISDIR(status.st_mode):
        header.type, header.mode = tarfile.DIRTYPE, 0o755
    elif stat.S_ISLNK(status.st_mode) and _inside(path, root):
        header.type, header.linkname, header.mode = (
            tarfile.SYMTYPE,
            os.fspath(path.readlink()),
            0o777,
        )
    else:
        raise HostError(
            "the build context holds something other than files, folders and links inside it",
            found=str(path),
            hint="remove it from the context",
        )
    return Entry(header)


def _inside(link: Path, root: Path) -> bool:
    target = link.readlink()
    end = os.path.normpath(link.parent.relative_to(root) / target)
    return not target.is_absolute() and end.split("/")[0] != ".."

"""The files in a run's output folder, hashed on the host that wrote them."""

from __future__ import annotations

import hashlib
import os
import stat
from typing import Iterator, List, Tuple

MOST = 100_000
DEEPEST = 100
_BLOCK = 1 << 20

Listed = Tuple[List[List[object]], List[str]]


def list_files(folder: str) -> Listed:
    """Return ``[path, bytes, sha256]`` of each file, and entries that are left out, with reasons.

    The same files, limits and reasons as of a run on the user's own host.
    """
    files: List[List[object]] = []
    left_out: List[str] = []
    for path, reason in _below(folder, "", 0):
        if reason:
            left_out.append("%s (%s)" % (ascii(path)[1:-1], reason))
        elif len(files) >= MOST:
            left_out.append("more than %d files" % MOST)
            break
        else:
            try:
                files.append([path, *_hashed(os.path.join(folder, path))])
            except OSError as error:
                left_out.append("%s (%s)" % (ascii(path)[1:-1], error.strerror))
    return files, left_out


def _hashed(path: str) -> Tuple[int, str]:
    """Return size and SHA-256 of a file; never of a link or pipe that took its place."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as stream:
        digest, size = hashlib.sha256(), 0
        while True:
            block = stream.read(_BLOCK)
            if not block:
                return size, digest.hexdigest()
            digest.update(block)
            size += len(block)


def _below(root: str, folder: str, depth: int) -> Iterator[Tuple[str, str]]:
    """Yield the path of each file, and of other entries with a reason."""
    try:
        with os.scandir(os.path.join(root, folder)) as entries:
            children = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        yield folder or ".", error.strerror or str(error)
        return
    for entry in children:
        path = "%s/%s" % (folder, entry.name) if folder else entry.name
        try:
            path.encode()
            mode = entry.stat(follow_symlinks=False).st_mode
        except UnicodeEncodeError:
            yield path, "its name is not UTF-8"
            continue
        except OSError as error:
            yield path, error.strerror or str(error)
            continue
        if stat.S_ISREG(mode):
            yield path, ""
        elif not stat.S_ISDIR(mode):
            yield path, _KINDS.get(stat.S_IFMT(mode), "no file")
        elif depth < DEEPEST:
            yield from _below(root, path, depth + 1)
        else:
            yield path, "over %d folders deep" % DEEPEST


_KINDS = {
    stat.S_IFLNK: "a link",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFBLK: "a device",
    stat.S_IFCHR: "a device",
}

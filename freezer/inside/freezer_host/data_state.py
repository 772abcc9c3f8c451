"""Whether files are those that were hashed: by names, sizes and times, without reading them."""

from __future__ import annotations

import hashlib
import os
from typing import Iterator, Sequence


def data_state(sources: Sequence[str]) -> str:
    """Return a digest over path, size and modification time of every file below some folders.

    It is taken where the content was hashed, and on the host before and after the training: equal
    states mean that the files were not changed in between. A file that is missing changes it too.
    """
    digest = hashlib.sha256()
    for source in sources:
        for path in _files(source):
            digest.update(_line(source, path))
    return digest.hexdigest()


def _files(source: str) -> Iterator[str]:
    if not os.path.isdir(source):
        yield source
        return
    for folder, folders, names in os.walk(source, onerror=None):
        folders.sort()
        yield from (os.path.join(folder, name) for name in sorted(names))


def _line(source: str, path: str) -> bytes:
    name = os.fsencode(os.path.relpath(path, source))
    try:
        found = os.stat(path)
        state = b"%d %d" % (found.st_size, found.st_mtime_ns)
    except OSError as error:
        state = b"error %d" % (error.errno or 0)
    return b"%d %s %s\n" % (len(name), name, state)

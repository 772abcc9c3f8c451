"""Result files: one JSON document each, sealed by a SHA-256, written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import stat
import sys
from typing import Dict

from .process import waited

SEAL = b'{"integrity":"sha256:%s",'
"""The first bytes of a file; the digest covers everything after them."""
_PREFIX = len(SEAL % (b"0" * 64))
LARGEST = 128 << 20
"""Bytes of a result file that are read: the largest that is taken from a host."""
_PAUSES = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0)
"""Seconds between attempts: a shared folder that is gone for a minute comes back."""


def sealed(document: Dict[str, object]) -> bytes:
    """Return a document as the bytes of a result file."""
    rest = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()[1:] + b"\n"
    return SEAL % hashlib.sha256(rest).hexdigest().encode() + rest


def is_intact(data: bytes) -> bool:
    """Return whether a file is as it was written."""
    digest = hashlib.sha256(data[_PREFIX:]).hexdigest().encode()
    return len(data) > _PREFIX and data[:_PREFIX] == SEAL % digest


def is_written(path: str, nonce: str) -> bool:
    """Return whether there is an intact result of this task."""
    try:
        data = _read(path)
        return is_intact(data) and json.loads(data).get("nonce") == nonce
    except (OSError, ValueError):
        return False


def write(path: str, document: Dict[str, object]) -> bool:
    """Write a result file atomically; return whether it is there.

    A folder that is gone, and a full disk, are tried again for about two minutes.
    """
    data = sealed(document)
    for pause in (*_PAUSES, None):
        try:
            _write(path, data)
            return True
        except OSError as error:
            _tell("freezer: %s: %s\n" % (path, error.strerror))
            if pause is not None:
                waited(pause)
    return False


def _read(path: str) -> bytes:
    """Return the bytes of a regular file; a pipe would be waited for."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as stream:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", path)
        return stream.read(LARGEST)


def _tell(text: str) -> None:
    """Write to the job's log, which may be on the folder that is gone."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(text)
        sys.stderr.flush()


def _write(path: str, data: bytes) -> None:
    folder, name = os.path.split(path)
    # Only the host's own folder: without the fleet's, another file system would get the result.
    if not os.path.isdir(folder):
        os.mkdir(folder)
    temporary = os.path.join(folder, ".%s.%s.%d.part" % (name, os.uname().nodename, os.getpid()))
    try:
        with open(temporary, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)

"""Hashes files in a separate process: one for each CPU, started without the rest of Freezer.

SHA-256 of many small files is bound by Python's own work on each, which threads cannot share.
Run as a script (``python -I -S -E worker.py ROOT``). On stdin batches: eight bytes of length
(big-endian), then that many bytes of paths relative to ROOT, each ended by a zero byte. A batch is
read whole before it is answered, so that the two sides never wait for each other. For each path
one line on stdout, in the same order::

    SHA256 SIZE INODE MTIME CTIME      of the file as it was read
    ! ERRNO                            it cannot be read, or is no file; errno 0: it changed
"""

from __future__ import annotations

import hashlib
import os
import sys

BLOCK = 1 << 20
SMALL = 1 << 18
"""Bytes up to which a file is read in one call."""


def main() -> None:
    """Answer until stdin ends."""
    os.chdir(sys.argv[1])
    source, answer = sys.stdin.buffer, sys.stdout.buffer
    while len(length := source.read(8)) == 8:
        for path in source.read(int.from_bytes(length, "big")).split(b"\0")[:-1]:
            answer.write(line(path))
        answer.flush()


def line(path: bytes) -> bytes:
    """Return the answer for one file."""
    try:
        # O_NONBLOCK: a pipe that took the file's place must not be waited for.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        return b"! %d\n" % (error.errno or 5)
    try:
        before = os.fstat(handle)
        if before.st_mode & 0o170000 != 0o100000:
            return b"! 22\n"
        digest = hash_open(handle, before.st_size)
        after = os.fstat(handle)
    except OSError as error:
        return b"! %d\n" % (error.errno or 5)
    finally:
        os.close(handle)
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        return b"! 0\n"
    numbers = (after.st_size, after.st_ino, after.st_mtime_ns, after.st_ctime_ns)
    return b"%s %d %d %d %d\n" % (digest.encode(), *numbers)


def hash_open(handle: int, size: int) -> str:
    """Return the SHA-256 of an open file, read to its end."""
    if size <= SMALL:
        # One byte more than the size: a file that is longer by now is read on below. Asking for
        # much more would have Python make room for it each time.
        data = os.read(handle, size + 1)
        hasher = hashlib.sha256(data)
        if len(data) == size:
            return hasher.hexdigest()
    else:
        hasher = hashlib.sha256()
    buffer = memoryview(bytearray(BLOCK))
    while count := os.readv(handle, [buffer]):
        hasher.update(buffer[:count])
    return hasher.hexdigest()


if __name__ == "__main__":
    main()

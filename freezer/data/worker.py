"""A worker process that hashes files: one for each CPU, started without the rest of Freezer.

For many small files Python's own work dominates, which threads cannot share.
Run as a script (``python -I -S -E worker.py ROOT``). On stdin batches: eight bytes of length
(big-endian), then that many bytes of paths relative to ROOT, each ended by a zero byte. A batch is
read whole before it is answered, so that the two sides never wait for each other. The answer on
stdout has the numbers as native 64-bit integers::

    =  MODE SIZE INODE MTIME CTIME of each file as it was read, then the 64 digits of each SHA-256
    !  PLACE ERRNO of the first file that cannot be read, or is no file; errno 0: it changed
"""

from __future__ import annotations

import hashlib
import os
import struct
import sys

BLOCK = 1 << 20
SMALL = 1 << 18
"""Bytes up to which a file is read in one call."""
# O_NONBLOCK: do not wait for a pipe that replaced the file.
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


def main() -> None:
    """Answer until stdin ends."""
    os.chdir(sys.argv[1])
    source, target = sys.stdin.buffer, sys.stdout.buffer
    while len(length := source.read(8)) == 8:
        target.write(answer(source.read(int.from_bytes(length, "big")).split(b"\0")[:-1]))
        target.flush()


def answer(paths: list[bytes]) -> bytes:
    """Return the answer for a batch of files."""
    numbers: list[int] = []
    digests: list[str] = []
    fstat = os.fstat
    for place, path in enumerate(paths):
        error = 0
        try:
            handle = os.open(path, _FLAGS)
            try:
                before = fstat(handle)
                if before.st_mode & 0o170000 != 0o100000:
                    error = 22
                else:
                    digests.append(hash_open(handle, before.st_size))
                after = fstat(handle)
            finally:
                os.close(handle)
        except OSError as caught:
            error = caught.errno or 5
        else:
            numbers += (
                after.st_mode,
                after.st_size,
                after.st_ino,
                after.st_mtime_ns,
                after.st_ctime_ns,
            )
            changed = before.st_mtime_ns != after.st_mtime_ns or before.st_size != after.st_size
            if not changed and not error:
                continue
        return b"!" + struct.pack("2q", place, error)
    return b"=" + _packed(numbers) + "".join(digests).encode()


def _packed(numbers: list[int]) -> bytes:
    try:
        return struct.pack(f"{len(numbers)}q", *numbers)
    except struct.error:  # an inode beyond the signed integers
        half = 1 << 63
        return _packed([(one + half) % (2 * half) - half for one in numbers])


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

"""HDF5 files: their bytes without the times of their objects.

HDF5 writes equal files for equal content but for the times in object headers (``track_times``,
and every file of PyTables). These are found by their form, without reading the file's structure:
Freezer needs no HDF5 library, and a hostile file reaches none.
Format: HDF5 File Format Specification 3.0, IV.A "Object Headers".
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, BinaryIO, Final

from freezer.check.artifacts.description import Format, Parts

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAGIC: Final = b"\x89HDF\r\n\x1a\n"
_OLD: Final = b"\x12\x00\x08\x00"
"""Version 1: the message "object modification time", of type 0x12 and 8 bytes."""
_REST: Final = re.compile(rb"[\x00-\xff]\x00\x00\x00\x01\x00\x00\x00", re.DOTALL)
"""What follows: flags, 3 bytes that are reserved, version 1 and 3 more; then 4 bytes with the
seconds since 1970."""
_NEW: Final = b"OHDR\x02"
"""Version 2: an object header; its flags say whether it holds four times."""
_BLOCK: Final = 8 << 20
_LONGEST: Final = 1 << 17
"""Bytes of an object header that is looked at; the library itself writes at most 64 KiB."""


def _hdf5(stream: BinaryIO) -> Parts:
    """Yield the SHA-256 of the bytes with every time, and the checksum over it, set to zero."""
    hasher = hashlib.sha256()
    buffer, ended = bytearray(), False
    while not ended:
        block = stream.read(_BLOCK)
        ended = not block
        buffer += block
        # Of what may go on in the next block nothing is decided yet.
        settled = len(buffer) if ended else max(0, len(buffer) - _LONGEST)
        _mask(buffer, settled)
        hasher.update(memoryview(buffer)[:settled])
        del buffer[:settled]
    yield "file", hasher.digest()


def _mask(buffer: bytearray, settled: int) -> None:
    """Set the times of the objects that begin before ``settled`` to zero."""
    old = (_REST.match(buffer, at + len(_OLD)) for at in _places(buffer, _OLD, settled))
    spans = [(one.end(), one.end() + 4) for one in old if one is not None]
    for place in _places(buffer, _NEW, settled):
        spans += _times(buffer, place)
    for first, last in spans:
        if last <= len(buffer):
            buffer[first:last] = bytes(last - first)


def _places(buffer: bytearray, text: bytes, settled: int) -> Iterator[int]:
    """Yield where a text begins before ``settled``: a search by `find` is the fastest there is."""
    place = buffer.find(text)
    while 0 <= place < settled:
        yield place
        place = buffer.find(text, place + 1)


def _times(buffer: bytearray, place: int) -> Iterator[tuple[int, int]]:
    """Yield where a header of version 2 has its times and its checksum.

    Nothing where the checksum is wrong: then it is data that look like a header.
    """
    flags = buffer[place + 5] if place + 5 < len(buffer) else 0
    if not flags & 0x20:
        return
    sizes = place + 22 + (4 if flags & 0x10 else 0)
    width = 1 << (flags & 3)
    size = int.from_bytes(buffer[sizes : sizes + width], "little")
    end = sizes + width + size
    if end + 4 > min(len(buffer), place + _LONGEST):
        return
    if lookup3(bytes(buffer[place:end])) == int.from_bytes(buffer[end : end + 4], "little"):
        yield place + 6, place + 22
        yield end, end + 4


def lookup3(data: bytes) -> int:
    """Return Jenkins' lookup3 hash (hashlittle, initial value 0), HDF5's checksum of metadata."""
    mask = 0xFFFFFFFF
    a = b = c = (0xDEADBEEF + len(data)) & mask
    if not data:
        return c
    last = (len(data) - 1) // 12 * 12
    for at in range(0, last, 12):
        x, y, z = (int.from_bytes(data[at + n : at + n + 4], "little") for n in (0, 4, 8))
        a, b, c = _mix((a + x) & mask, (b + y) & mask, (c + z) & mask)
    tail = data[last:].ljust(12, b"\0")
    x, y, z = (int.from_bytes(tail[n : n + 4], "little") for n in (0, 4, 8))
    return _final((a + x) & mask, (b + y) & mask, (c + z) & mask)


def _rotated(value: int, bits: int) -> int:
    return (value << bits | value >> (32 - bits)) & 0xFFFFFFFF


def _mix(a: int, b: int, c: int) -> tuple[int, int, int]:
    mask = 0xFFFFFFFF
    a, c = ((a - c) & mask) ^ _rotated(c, 4), (c + b) & mask
    b, a = ((b - a) & mask) ^ _rotated(a, 6), (a + c) & mask
    c, b = ((c - b) & mask) ^ _rotated(b, 8), (b + a) & mask
    a, c = ((a - c) & mask) ^ _rotated(c, 16), (c + b) & mask
    b, a = ((b - a) & mask) ^ _rotated(a, 19), (a + c) & mask
    c, b = ((c - b) & mask) ^ _rotated(b, 4), (b + a) & mask
    return a, b, c


def _final(a: int, b: int, c: int) -> int:
    mask = 0xFFFFFFFF
    c = ((c ^ b) - _rotated(b, 14)) & mask
    a = ((a ^ c) - _rotated(c, 11)) & mask
    b = ((b ^ a) - _rotated(a, 25)) & mask
    c = ((c ^ b) - _rotated(b, 16)) & mask
    a = ((a ^ c) - _rotated(c, 4)) & mask
    b = ((b ^ a) - _rotated(a, 14)) & mask
    return ((c ^ b) - _rotated(b, 24)) & mask


FORMATS: Final = (
    Format(
        "hdf5",
        lambda _name, head: head.startswith(_MAGIC),
        _hdf5,
        "the times in object headers, and the checksums of headers that hold them",
        "h5py 3.16.0: `track_times=True`; pandas 3.1.1: `to_hdf` (PyTables 3.11.1)",
    ),
)

"""TFRecord files: length, its checksum, data, its checksum (CRC-32C, masked). Pure."""

from __future__ import annotations

import struct
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST: Final = 1 << 20
"""Bytes of a record that is read; larger ones (images, graphs) are skipped."""
_MASK: Final = 0xA282EAD8
_POLYNOMIAL: Final = 0x82F63B78


def _table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
        table.append(value)
    return tuple(table)


_TABLE: Final = _table()


def masked_crc(data: bytes) -> int:
    """Return the masked CRC-32C of some bytes, as TFRecord files have it."""
    crc, table = 0xFFFFFFFF, _TABLE
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17 & 0xFFFFFFFF) + _MASK) & 0xFFFFFFFF


def records(stream: IO[bytes], size: int) -> Iterator[bytes | None]:
    """Yield the records of a file of ``size`` bytes, None for each that is too large.

    Raises ``ValueError`` where one is cut short or its checksum is wrong: what follows cannot be
    read either.
    """
    while header := stream.read(12):
        if len(header) != 12:
            _damaged(stream, "ends within a record")
        length, crc = struct.unpack("<QI", header)
        if masked_crc(header[:8]) != crc:
            _damaged(stream, "has a wrong checksum")
        if length + 4 > size - stream.tell():
            _damaged(stream, "ends within a record")
        if length > LARGEST:
            stream.seek(length + 4, 1)
            yield None
            continue
        data = stream.read(length)
        if stream.read(4) != struct.pack("<I", masked_crc(data)):
            _damaged(stream, "has a wrong checksum")
        yield data


def _damaged(stream: IO[bytes], what: str) -> None:
    message = f"{what} at byte {stream.tell()}: the rest is not read"
    raise ValueError(message)

"""Parses the wire format of protocol buffers, as far as event files need it. Pure."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

Field = tuple[int, int | bytes]
"""A field's number, and its value: a whole number, or bytes (fixed ones too)."""


def fields(data: bytes) -> Iterator[Field]:
    """Yield the fields of a message in order. Raises ``ValueError`` for anything else."""
    place = 0
    while place < len(data):
        key, place = _varint(data, place)
        kind, number = key & 7, key >> 3
        if kind == 0:
            value, place = _varint(data, place)
            yield number, value
            continue
        if kind == 2:
            size, place = _varint(data, place)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            message = f"no field of a message: kind {kind}"
            raise ValueError(message)
        if place + size > len(data):
            message = "a message is cut short"
            raise ValueError(message)
        yield number, data[place : place + size]
        place += size


def double(value: int | bytes) -> float:
    """Return a double. Raises ``ValueError`` for a field of another type."""
    return _unpacked("<d", value)


def single(value: int | bytes) -> float:
    """Return a 32-bit float as a double, exactly. Raises ``ValueError``."""
    return _unpacked("<f", value)


def signed(value: int | bytes) -> int:
    """Return a signed 64-bit integer. Raises ``ValueError``."""
    if not isinstance(value, int):
        message = "a number is missing"
        raise ValueError(message)
    value &= (1 << 64) - 1
    return value - (1 << 64) if value >> 63 else value


def message(value: int | bytes) -> bytes:
    """Return an embedded message. Raises ``ValueError``."""
    if isinstance(value, int):
        text = "a message is missing"
        raise ValueError(text)
    return value


def text(value: int | bytes) -> str:
    """Return a text. Raises ``ValueError``."""
    return message(value).decode("utf-8", "replace")


def _unpacked(form: str, value: int | bytes) -> float:
    if isinstance(value, int) or len(value) != struct.calcsize(form):
        message = "a number has another size"
        raise ValueError(message)
    return float(struct.unpack(form, value)[0])


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while shift < 70 and place < len(data):
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7
    message = "a number is cut short"
    raise ValueError(message)

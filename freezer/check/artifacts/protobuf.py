"""Protocol Buffers without a schema: a message as its fields, each with its number and bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from freezer.check.artifacts.description import NotThisFormatError

if TYPE_CHECKING:
    from collections.abc import Iterator

VARINT, DOUBLE, LENGTH, FLOAT = 0, 1, 2, 5
"""Wire types."""
_CUT = "a field is cut short, or no field at all"


class Field(NamedTuple):
    """One field of a message."""

    number: int
    wire: int
    whole: bytes
    """The field as it stands in the message, its key included."""
    value: bytes
    """Of a field with a length its content; else all but the key."""

    @property
    def integer(self) -> int:
        """The value of a varint."""
        return varint(self.value, 0)[0]


def fields(message: bytes) -> Iterator[Field]:
    """Yield the fields of a message. Raises ``NotThisFormatError`` for what is none."""
    place = 0
    while place < len(message):
        start = place
        key, place = varint(message, place)
        wire, begin = key & 7, place
        if wire == VARINT:
            _, place = varint(message, place)
        elif wire == LENGTH:
            size, begin = varint(message, place)
            place = begin + size
        elif wire in (DOUBLE, FLOAT):
            place += 8 if wire == DOUBLE else 4
        else:
            raise NotThisFormatError(_CUT)
        if place > len(message) or not key >> 3:
            raise NotThisFormatError(_CUT)
        yield Field(key >> 3, wire, message[start:place], message[begin:place])


def varint(data: bytes, place: int) -> tuple[int, int]:
    """Return a variable-length integer and where it ends. Raises ``NotThisFormatError``."""
    value = shift = 0
    while shift < 70:
        if place >= len(data):
            raise NotThisFormatError(_CUT)
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7
    raise NotThisFormatError(_CUT)

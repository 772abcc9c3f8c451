"""TensorBoard's event files: records with a clock, the first with the time of opening."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, BinaryIO, Final

from freezer.check.artifacts.description import Format, NotThisFormatError, Parts
from freezer.check.artifacts.protobuf import DOUBLE, fields

if TYPE_CHECKING:
    from collections.abc import Iterator

_LARGEST: Final = 256 << 20
"""Maximum bytes of one record."""


def _events(stream: BinaryIO) -> Parts:
    """Yield each event after the first without its wall time, and finally their number.

    The number matters because readers stop silently at damage.
    """
    count = 0
    for number, record in enumerate(_records(stream)):
        if number:
            yield "event", b"".join(_without_clock(record))
        count = number
    yield "count", str(count).encode()


def _records(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the records of a TFRecord file: length, its checksum, data, its checksum."""
    while header := stream.read(12):
        if len(header) != 12:
            raise NotThisFormatError(_CUT)
        [size] = struct.unpack("<Q", header[:8])
        if size > _LARGEST:
            raise NotThisFormatError(_CUT)
        data, checksum = stream.read(size), stream.read(4)
        if len(data) != size or len(checksum) != 4:
            raise NotThisFormatError(_CUT)
        yield data


_CUT: Final = "a record is cut short or too large"


def _without_clock(record: bytes) -> Iterator[bytes]:
    """Yield an event's fields except for the first, ``wall_time``, a double."""
    for one in fields(record):
        if (one.number, one.wire) != (1, DOUBLE):
            yield one.whole


FORMATS: Final = (
    Format(
        "tensorboard",
        lambda name, head: "tfevents" in name and b"brain.Event:" in head,
        _events,
        "each event's wall time, and the first record, which holds the time of opening",
        "tensorboardX 2.6.5, tensorboard 2.21",
    ),
)

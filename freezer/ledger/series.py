"""Series of metrics: packed to bytes in chunks, and back, every double bit for bit. Pure."""

from __future__ import annotations

import sys
from array import array
from dataclasses import dataclass
from typing import Final

CHUNK: Final = 16_384
"""Points in a chunk at most: 384 kB."""


@dataclass(frozen=True)
class Points:
    """A series, or a part of one: three columns of equal length."""

    steps: array[int]
    """64-bit integers."""
    times: array[int]
    """Microseconds since 1970, 64-bit integers."""
    values: array[float]
    """Doubles."""

    @classmethod
    def of(cls, points: list[tuple[int, int, float]]) -> Points:
        """Return points given as (step, time in microseconds, value)."""
        steps, times, values = zip(*points, strict=True) if points else ((), (), ())
        return cls(array("q", steps), array("q", times), array("d", values))

    def __len__(self) -> int:
        """Return how many points there are."""
        return len(self.values)

    def chunks(self) -> list[Points]:
        """Return the series in parts of at most `CHUNK` points."""
        starts = range(0, len(self), CHUNK)
        return [self._part(slice(start, start + CHUNK)) for start in starts]

    def _part(self, part: slice) -> Points:
        return Points(self.steps[part], self.times[part], self.values[part])


def packed(points: Points) -> tuple[bytes, bytes, bytes]:
    """Return steps, times and values as little-endian bytes."""
    return _bytes(points.steps), _bytes(points.times), _bytes(points.values)


def unpacked(steps: bytes, times: bytes, values: bytes) -> Points:
    """Return the points in packed columns. Raises ``ValueError`` where they do not fit together."""
    if not len(steps) == len(times) == len(values) or len(values) % 8:
        message = "columns of different lengths"
        raise ValueError(message)
    found = Points(array("q"), array("q"), array("d"))
    for column, data in ((found.steps, steps), (found.times, times), (found.values, values)):
        column.frombytes(data)
        if sys.byteorder == "big":
            column.byteswap()
    return found


def joined(parts: list[Points]) -> Points:
    """Return several parts as one series."""
    whole = Points(array("q"), array("q"), array("d"))
    for part in parts:
        whole.steps.extend(part.steps)
        whole.times.extend(part.times)
        whole.values.extend(part.values)
    return whole


def _bytes(column: array[int] | array[float]) -> bytes:
    if sys.byteorder == "big":
        column = array(column.typecode, column)
        column.byteswap()
    return column.tobytes()

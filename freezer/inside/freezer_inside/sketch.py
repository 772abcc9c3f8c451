"""What is told of a large tensor beside its digest: sums that have a part of every element.

Each sum takes its elements with signs that are fixed by their positions, so the distance of two
sketches estimates the distance of two tensors (Alon, Matias, Szegedy, "The space complexity of
approximating the frequency moments", 1996; Charikar, Chen, Farach-Colton, "Finding frequent items
in data streams", 2002). Pure Python, correctly rounded: no kernel has a part in it.
"""

from __future__ import annotations

import math
import operator
import struct
from itertools import cycle
from typing import Iterable, List, Sequence

from .data import splitmix64

SUMS = 64
"""Sums by blocks of elements that follow each other, and as many by the position's remainder."""
SKETCHED = 1 << 20
"""Elements up to which this is worth its time, about a second."""
_PERIOD = 4093
"""After how many elements the signs repeat: a prime, so that they follow no shape."""
_CODES = {"f2": "e", "f4": "f", "f8": "d", "i1": "b", "i2": "h", "i4": "i", "i8": "q",
          "u1": "B", "u2": "H", "u4": "I", "u8": "Q", "b1": "?"}  # fmt: skip


def signs(seed: int) -> List[float]:
    """Return the signs of one period."""
    return [1.0 if value >> 63 else -1.0 for value in splitmix64(seed, _PERIOD)]


def sketch(dtype: str, raw: bytes) -> bytes:
    """Return the sums of little-endian elements as little-endian doubles: blocks, then remainders.

    A sum over anything that is not finite, or too large for a double, is not a number.
    """
    values = struct.unpack(f"<{len(raw) // int(dtype[2:])}{_CODES[dtype[1:]]}", raw)
    length = -(-len(values) // SUMS)
    first, second = _signed(values, 1), _signed(values, 2)
    blocks = [_sum(first[at : at + length]) for at in range(0, length * SUMS, length)]
    remainders = [_sum(second[at::SUMS]) for at in range(SUMS)]
    return struct.pack(f"<{2 * SUMS}d", *blocks, *remainders)


def _signed(values: Sequence[float], seed: int) -> List[float]:
    return list(map(operator.mul, values, cycle(signs(seed))))


def _sum(values: Iterable[float]) -> float:
    try:
        return math.fsum(values)
    except (OverflowError, ValueError):
        return math.nan

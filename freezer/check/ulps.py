"""How far two floating-point values are apart."""

from __future__ import annotations

import base64
import math
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.model.record import Tensor

_INTEGERS = {"f2": ("h", 15), "f4": ("i", 31), "f8": ("q", 63)}
_CODES = {
    "f2": "e", "f4": "f", "f8": "d", "i1": "b", "i2": "h", "i4": "i", "i8": "q",
    "u1": "B", "u2": "H", "u4": "I", "u8": "Q", "b1": "?",
}  # fmt: skip


def double_ulps(first: float, second: float) -> int | None:
    """Return the distance of two doubles in units in the last place; None for nan and infinity."""
    if not (math.isfinite(first) and math.isfinite(second)):
        return None
    raw = struct.pack("<2d", first, second)
    return _distance(raw[:8], raw[8:], "f8")


def sample_distance(first: Tensor, second: Tensor) -> tuple[int | None, float | None]:
    """Return the greatest ulp distance and the norm-relative error over two samples.

    None where the samples hold other elements, or values that are not finite.
    """
    if (first.dtype, first.shape, first.stride) != (second.dtype, second.shape, second.stride):
        return None, None
    raw = base64.b64decode(first.sample), base64.b64decode(second.sample)
    if len(raw[0]) != len(raw[1]) or len(raw[0]) % int(first.dtype[2:]):
        return None, None
    left, right = (_values(part, first.dtype) for part in raw)
    if not all(map(math.isfinite, (*left, *right))):
        return None, None
    return _greatest(raw, first.dtype), _relative(left, right)


def _values(raw: bytes, dtype: str) -> Sequence[float]:
    size = int(dtype[2:])
    return [float(v) for v in struct.unpack(f"<{len(raw) // size}{_CODES[dtype[1:]]}", raw)]


def _greatest(raw: tuple[bytes, bytes], dtype: str) -> int | None:
    kind = dtype[1:]
    if kind not in _INTEGERS:
        return None
    size = int(kind[1:])
    places = range(0, len(raw[0]), size)
    left, right = raw
    distances = (_distance(left[at : at + size], right[at : at + size], kind) for at in places)
    return max(distances, default=0)


def _distance(first: bytes, second: bytes, kind: str) -> int:
    """Floats of one sign are ordered as their bits are; those below zero count down from it."""
    code, bits = _INTEGERS[kind]

    def place(raw: bytes) -> int:
        value: int = struct.unpack(f"<{code}", raw)[0]
        return value if value >= 0 else -(value + (1 << bits))

    return abs(place(first) - place(second))


def _relative(left: Sequence[float], right: Sequence[float]) -> float | None:
    norm = math.sqrt(sum(value * value for value in left))
    error = math.sqrt(sum((a - b) ** 2 for a, b in zip(left, right, strict=True)))
    if norm == 0:
        return 0.0 if error == 0 else None
    return error / norm

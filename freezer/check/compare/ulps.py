"""How far two floating-point values are apart, and two tensors as far as their records tell."""

from __future__ import annotations

import base64
import math
import struct
from dataclasses import dataclass
from statistics import median_low
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from freezer.model.record.record import Tensor

_INTEGERS = {"f2": ("h", 15), "f4": ("i", 31), "f8": ("q", 63)}
_CODES = {
    "f2": "e", "f4": "f", "f8": "d", "i1": "b", "i2": "h", "i4": "i", "i8": "q",
    "u1": "B", "u2": "H", "u4": "I", "u8": "Q", "b1": "?",
}  # fmt: skip


@dataclass(frozen=True)
class Distance:
    """How far two observations are apart; None where that cannot be said."""

    ulps: int | None = None
    """Greatest distance in units in the last place, over the elements that both records hold."""
    median: int | None = None
    """Median over those of them that differ: near zero a few ulps mean nothing."""
    relative: float | None = None
    """Norm of the difference over the norm of what was expected; covers every element."""
    place: str | None = None
    """The first element that differs, as closely as the records tell."""


def number_ulps(first: float, second: float) -> int | None:
    """Return the distance of two numbers in units in the last place; None for nan and infinity.

    The units are those of single precision where both are numbers of it: most losses are computed
    so, and told as doubles.
    """
    if not (math.isfinite(first) and math.isfinite(second)):
        return None
    single = all(_is_single(value) for value in (first, second))
    code, kind, size = ("f", "f4", 4) if single else ("d", "f8", 8)
    raw = struct.pack(f"<2{code}", first, second)
    return _apart(raw[:size], raw[size:], kind)


def _is_single(value: float) -> bool:
    try:
        [rounded] = struct.unpack("<f", struct.pack("<f", value))
    except OverflowError:
        return False
    return bool(rounded == value)


def tensor_distance(first: Tensor, second: Tensor) -> Distance:
    """Return how far two tensors are apart; all None where they are not of one type and shape.

    Of a tensor that is told whole everything is exact. Of a larger one the ulps are those of its
    sample, and the error is estimated from its sketch, which has a part of every element in it.
    """
    form = ("dtype", "shape", "stride")
    if any(getattr(first, part) != getattr(second, part) for part in form):
        return Distance()
    if first.sample is None or second.sample is None:
        return Distance()
    raw = base64.b64decode(first.sample), base64.b64decode(second.sample)
    steps = sorted(_steps(raw, first.dtype))
    return Distance(
        ulps=max(steps, default=0) if first.dtype[1:] in _INTEGERS else None,
        median=median_low(steps) if steps else None,
        relative=_whole_error(raw, first.dtype) if first.stride == 1 else _sketched(first, second),
        place=_place(raw, first, second),
    )


def sampled_values(tensor: Tensor) -> Sequence[float]:
    """Return the elements of a tensor that its record holds."""
    return _values(base64.b64decode(tensor.sample or ""), tensor.dtype)


def _values(raw: bytes, dtype: str) -> Sequence[float]:
    size = int(dtype[2:])
    return [float(v) for v in struct.unpack(f"<{len(raw) // size}{_CODES[dtype[1:]]}", raw)]


def _elements(raw: tuple[bytes, bytes], size: int) -> Iterator[tuple[bytes, bytes]]:
    for at in range(0, len(raw[0]), size):
        yield raw[0][at : at + size], raw[1][at : at + size]


def _steps(raw: tuple[bytes, bytes], dtype: str) -> Iterator[int]:
    """Yield the distances of the elements that differ."""
    kind = dtype[1:]
    if kind in _INTEGERS:
        for left, right in _elements(raw, int(kind[1:])):
            if left != right:
                yield _apart(left, right, kind)


def _apart(first: bytes, second: bytes, kind: str) -> int:
    """Floats of one sign are ordered as their bits are; those below zero count down from it."""
    code, bits = _INTEGERS[kind]

    def place(raw: bytes) -> int:
        value: int = struct.unpack(f"<{code}", raw)[0]
        return value if value >= 0 else -(value + (1 << bits))

    return abs(place(first) - place(second))


def _whole_error(raw: tuple[bytes, bytes], dtype: str) -> float | None:
    return _relative(_values(raw[0], dtype), _values(raw[1], dtype))


def _sketched(first: Tensor, second: Tensor) -> float | None:
    """Return the greater of the errors by blocks and by residues, each an estimate by itself.

    A difference that one of them does not see (two elements of one block that changed places)
    is in different sums of the other.
    """
    raw = base64.b64decode(first.sketch or ""), base64.b64decode(second.sketch or "")
    if len(raw[0]) != len(raw[1]) or not raw[0]:
        return None
    half = len(raw[0]) // 16 * 8
    errors = [
        _relative(_values(raw[0][part], "<f8"), _values(raw[1][part], "<f8"))
        for part in (slice(None, half), slice(half, None))
    ]
    known = [error for error in errors if error is not None]
    return max(known) if len(known) == len(errors) else None


def _relative(left: Sequence[float], right: Sequence[float]) -> float | None:
    error, norm = math.dist(left, right), math.hypot(*left)
    if not (math.isfinite(error) and math.isfinite(norm)):
        return None
    if norm == 0:
        return 0.0 if error == 0 else None
    return error / norm


def _place(raw: tuple[bytes, bytes], first: Tensor, second: Tensor) -> str | None:
    size = int(first.dtype[2:])
    at = _first(raw, size)
    stride = first.stride or 1
    sampled = None if at is None else f"element {_index(at * stride, first.shape)}"
    if stride == 1:
        return sampled
    sketches = base64.b64decode(first.sketch or ""), base64.b64decode(second.sketch or "")
    half = len(sketches[0]) // 16
    block = _first((sketches[0][: half * 8], sketches[1][: half * 8]), 8)
    if block is None:
        return None if sampled is None else f"{sampled} or before"
    length = -(-first.count // half)
    start, end = block * length, min((block + 1) * length, first.count) - 1
    return f"between elements {_index(start, first.shape)} and {_index(end, first.shape)}"


def _first(raw: tuple[bytes, bytes], size: int) -> int | None:
    """Return the number of the first element that differs."""
    pairs = enumerate(_elements(raw, size))
    return next((at for at, (left, right) in pairs if left != right), None)


def _index(position: int, shape: tuple[int, ...]) -> str:
    """Return a row-major position as an index: ``[3, 17]``."""
    found: list[int] = []
    for size in reversed(shape):
        position, last = divmod(position, size)
        found.insert(0, last)
    return str(found)

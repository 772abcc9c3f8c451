"""Distances between floating-point values, and between tensors as far as recorded."""

from __future__ import annotations

import base64
import math
import struct
from collections import Counter
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
    """The distance between two observations; None where it cannot be measured."""

    ulps: int | None = None
    """Greatest distance in units in the last place, over the finite elements in both records."""
    median: int | None = None
    """Median over the differing ones: near zero a few ulps mean nothing."""
    relative: float | None = None
    """Norm of the difference over the norm of the expected value; covers all elements."""
    place: str | None = None
    """The first element that differs, as precisely as the records allow."""
    note: str | None = None
    """A note that a distance does not show: ``the signs differ``, ``one of the two is NaN``."""
    values: tuple[str, str] | None = None
    """The first differing element of a tensor's sample in both: ``element [0] is 0.5``."""


# A unit in the last place (ulp) is the step from one float to the next of its type. For two floats
# of one sign the distance is that of their bit patterns, read as integers. It is meaningless across
# zero: between -1 and 1 are half of all floats, 2e9 in single precision and 9e18 in double. There
# the relative error and the note are more useful. A NaN has a bit pattern but no distance.


def number_distance(first: float, second: float) -> Distance:
    """Return the distance between two numbers.

    The ulps are those of single precision when both numbers are exact in it: most losses are
    computed so, and recorded as doubles.
    """
    note = _note(first, second)
    if not (math.isfinite(first) and math.isfinite(second)):
        return Distance(note=note)
    single = all(_is_single(value) for value in (first, second))
    code, kind = ("f", "f4") if single else ("d", "f8")
    raw = struct.pack(f"<2{code}", first, second)
    relative = None if first == 0 else abs(first - second) / abs(first)
    [left, right] = _places(raw, kind)
    return Distance(ulps=abs(left - right), relative=relative, note=note)


def _note(first: float, second: float) -> str | None:
    """Return a difference that no distance shows; None for an ordinary one."""
    for noun, is_so in (("NaN", math.isnan), ("infinite", math.isinf)):
        if is_so(first) is not is_so(second):
            return f"one of the two is {noun}"
    signs = math.copysign(1, first), math.copysign(1, second)
    if math.isnan(first) or signs[0] == signs[1]:
        return None
    return "the signs differ" if first or second else "the signs of zero differ"


def _is_single(value: float) -> bool:
    try:
        [rounded] = struct.unpack("<f", struct.pack("<f", value))
    except OverflowError:
        return False
    return bool(rounded == value)


def tensor_distance(first: Tensor, second: Tensor) -> Distance:
    """Return the distance between two tensors; all None for different types or shapes.

    For a fully recorded tensor everything is exact. For a larger one the ulps are those of its
    sample, and the error is estimated from its sketch, to which every element contributes.
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
        note=_notes(raw, first.dtype),
        values=_first_values(raw, first),
    )


def _notes(raw: tuple[bytes, bytes], dtype: str) -> str | None:
    """Return the most frequent note over the elements of two samples, with its count."""
    pairs = list(zip(_values(raw[0], dtype), _values(raw[1], dtype), strict=True))
    # Most pairs are two numbers of one sign, without a note.
    unlike = (pair for pair in pairs if not 0 < pair[0] * pair[1] < math.inf)
    notes = Counter(note for pair in unlike if (note := _note(*pair)) is not None)
    if not notes:
        return None
    [(note, count)] = notes.most_common(1)
    return note if len(pairs) == 1 else f"{note} in {count} of {len(pairs)} elements compared"


def _first_values(raw: tuple[bytes, bytes], tensor: Tensor) -> tuple[str, str] | None:
    size = int(tensor.dtype[2:])
    at = _first(raw, size)
    if at is None:
        return None
    index = _index(at * (tensor.stride or 1), tensor.shape)
    left, right = (
        f"element {index} is {_values(part[at * size : (at + 1) * size], tensor.dtype)[0]:.17g}"
        for part in raw
    )
    return left, right


def sampled_values(tensor: Tensor) -> Sequence[float]:
    """Return the recorded elements of a tensor."""
    return _values(base64.b64decode(tensor.sample or ""), tensor.dtype)


def _values(raw: bytes, dtype: str) -> Sequence[float]:
    size = int(dtype[2:])
    return [float(v) for v in struct.unpack(f"<{len(raw) // size}{_CODES[dtype[1:]]}", raw)]


def _elements(raw: tuple[bytes, bytes], size: int) -> Iterator[tuple[bytes, bytes]]:
    for at in range(0, len(raw[0]), size):
        yield raw[0][at : at + size], raw[1][at : at + size]


def _steps(raw: tuple[bytes, bytes], dtype: str) -> list[int]:
    """Return the distances in ulps of the elements that differ, where both are finite."""
    kind = dtype[1:]
    if kind not in _INTEGERS:
        return []
    # In bulk, as samples of a whole record have millions of elements; x - x is 0 for finite ones.
    places = zip(_places(raw[0], kind), _places(raw[1], kind), strict=True)
    values = zip(_values(raw[0], dtype), _values(raw[1], dtype), strict=True)
    return [
        abs(a - b)
        for (a, b), (x, y) in zip(places, values, strict=True)
        if (a != b or x != y) and x - x == 0 and y - y == 0
    ]


def _places(raw: bytes, kind: str) -> list[int]:
    """Return the position of each float in the order of all floats of its type.

    Floats of one sign are ordered like their bit patterns, read as integers; negative ones have the
    sign bit set and count downwards. So -0 and 0 have the same position.
    """
    code, bits = _INTEGERS[kind]
    sign = 1 << bits
    numbers = struct.unpack(f"<{len(raw) // int(kind[1:])}{code}", raw)
    return [number if number >= 0 else -(number + sign) for number in numbers]


def _whole_error(raw: tuple[bytes, bytes], dtype: str) -> float | None:
    return _relative(_values(raw[0], dtype), _values(raw[1], dtype))


def _sketched(first: Tensor, second: Tensor) -> float | None:
    """Return the greater of the errors by blocks and by residues, two independent estimates.

    The elements of a block, or of a residue, are summed with signs that depend on the position. The
    norm of many such sums is close to the norm of the elements (a random projection), and so is
    that of the differences. Two swapped elements of one block may cancel in its sum; they are in
    different sums of the residues, and the greater error counts.
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
    """Return the norm of the difference over the norm of the expected value (``left``).

    By norm, not by element: a gradient of 1e-12 that became 2e-12 next to others of 1 is no error
    of 100 %. For an expected zero it is None, and so outside of every tolerance, unless both are
    zero.
    """
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
    """Return the index of the first element that differs."""
    pairs = enumerate(_elements(raw, size))
    return next((at for at, (left, right) in pairs if left != right), None)


def _index(position: int, shape: tuple[int, ...]) -> str:
    """Return a row-major position as an index: ``[3, 17]``."""
    found: list[int] = []
    for size in reversed(shape):
        position, last = divmod(position, size)
        found.insert(0, last)
    return str(found)

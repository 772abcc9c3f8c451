"""Training data and first weights that are the same bits on every machine and in every framework.

Integers from splitmix64 become dyadic rationals, which every float type of 16 bits and more holds
exactly; labels are integer dot products. No framework's generator, no ``libm``, no rounding.
splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
"""

from __future__ import annotations

import hashlib
import operator
from typing import List, NamedTuple, Tuple

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15


class Data(NamedTuple):
    """A classification problem: rows of features in row-major order, and their labels."""

    rows: int
    columns: int
    classes: int
    features: List[float]
    """``rows * columns`` values, multiples of 1/16 in [-4, 4)."""
    labels: List[int]


def splitmix64(seed: int, count: int) -> List[int]:
    """Return 64-bit integers of the stream that starts at a seed."""
    state, found = seed & _MASK, []
    for _ in range(count):
        state = (state + _GOLDEN) & _MASK
        mixed = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        found.append(mixed ^ (mixed >> 31))
    return found


def shuffled(seed: int, count: int) -> List[int]:
    """Return the numbers below ``count`` in an order that a seed decides."""
    return sorted(range(count), key=splitmix64(seed, count).__getitem__)


def dyadic(seed: int, count: int, bits: int, scale: int) -> List[float]:
    """Return ``count`` signed integers of ``bits`` bits, each divided by ``2**scale``."""
    half, shift = 1 << (bits - 1), 64 - bits
    return [((value >> shift) - half) / (1 << scale) for value in splitmix64(seed, count)]


def classification(seed: int, rows: int, columns: int, classes: int) -> Data:
    """Return a problem that a linear model solves in part: labels by integer dot products."""
    numbers = [(value >> 57) - 64 for value in splitmix64(seed, rows * columns)]
    weights = [(value >> 60) - 8 for value in splitmix64(seed + 1, columns * classes)]
    by_class = [weights[index::classes] for index in range(classes)]
    labels = []
    for row in range(rows):
        values = numbers[row * columns : (row + 1) * columns]
        # Every third row is labelled by its position instead, so that nothing learns all of it.
        scores = [_dot(values, column) for column in by_class]
        labels.append(row % classes if row % 3 == 0 else scores.index(max(scores)))
    return Data(rows, columns, classes, [number / 16 for number in numbers], labels)


def _dot(values: List[int], column: List[int]) -> int:
    return sum(map(operator.mul, values, column))


def digests(data: Data) -> List[Tuple[str, str]]:
    """Return the SHA-256 of features and labels, each as text, so that byte order is no matter."""
    features = ",".join(str(int(value * 16)) for value in data.features)
    labels = ",".join(str(label) for label in data.labels)
    return [
        ("features", hashlib.sha256(features.encode()).hexdigest()),
        ("labels", hashlib.sha256(labels.encode()).hexdigest()),
    ]

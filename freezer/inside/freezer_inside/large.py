"""Data that show what small and tame data hide: many rows, and targets with a heavy tail.

With few rows a BLAS uses one thread, and sums of values of one size may not round at all: results
then do not depend on the number of threads, although those of larger data do. The bits are the same
on every machine, as those of ``data`` are; NumPy takes a hundredth of the time for them.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .data import _GOLDEN, _MASK

if TYPE_CHECKING:
    from .trainer import Trainer

Array = Any
SPREAD = 60
"""Powers of two that a heavy-tailed target covers. Single precision holds its values exactly."""


class Large(NamedTuple):
    """Features (rows x columns) in [-4, 4), multiples of 1/16; a label and a target of each row."""

    features: Array
    labels: Array
    targets: Array


def splitmix64(seed: int, count: int) -> Array:
    """Return the integers of ``data.splitmix64`` as an array (uint64)."""
    steps = np.arange(1, count + 1, dtype=np.uint64)  # products of arrays wrap around
    mixed = steps * np.uint64(_GOLDEN) + np.full(1, seed & _MASK, dtype=np.uint64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))


def _signed(seed: int, count: int, bits: int) -> Array:
    numbers = (splitmix64(seed, count) >> np.uint64(64 - bits)).astype(np.int64)
    return numbers - (1 << (bits - 1))


def many_rows(trainer: Trainer, rows: int, columns: int, classes: int) -> Large:
    """Return a problem for a BLAS with threads, and record its digest. Targets are integers."""
    numbers = _signed(trainer.seed + 3, rows * columns, 7).reshape(rows, columns)
    weights = _signed(trainer.seed + 4, columns * classes, 4).reshape(columns, classes)
    scores, position = numbers @ weights, np.arange(rows)  # of integers: without a BLAS
    # Every third row is labelled by its position instead, so that nothing learns all of it.
    labels = np.where(position % 3 == 0, position % classes, scores.argmax(axis=1))
    found = Large(numbers / 16.0, labels, scores[:, 0].astype(np.float64))
    return _recorded(trainer, "many rows", found)


def heavy_tailed(trainer: Trainer, rows: int, columns: int) -> Large:
    """Return a regression whose targets cover many powers of two, and record its digest."""
    numbers = _signed(trainer.seed + 5, rows * columns, 7).reshape(rows, columns)
    scores = numbers @ _signed(trainer.seed + 6, columns, 4)
    powers = (splitmix64(trainer.seed + 7, rows) >> np.uint64(32)).astype(np.int64) % SPREAD
    targets = np.ldexp(scores.astype(np.float64), (powers - SPREAD // 2).astype(np.int32))
    found = Large(numbers / 16.0, (scores > 0).astype(np.int64), targets)
    return _recorded(trainer, "heavy-tailed", found)


def _recorded(trainer: Trainer, name: str, found: Large) -> Large:
    """Record the digest of the data in one byte order."""
    raw = (
        found.features.astype("<f8").tobytes(),
        found.labels.astype("<i8").tobytes(),
        found.targets.astype("<f8").tobytes(),
    )
    trainer.recorder.data(name, hashlib.sha256(b"".join(raw)).hexdigest())
    return found

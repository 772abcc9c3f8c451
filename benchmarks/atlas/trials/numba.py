"""Numba: Python compiled for loops over arrays."""

from typing import Any

import numba
import numpy as np

from benchmarks.atlas.inside import operation

PACKAGE = "numba"
VERSIONS = ("0.68.1",)
WITH = ("numpy==2.4.6",)


@numba.njit
def _serial(values: Any) -> Any:
    total = 0.0
    for number in range(values.size):
        total += values[number]
    return total


@numba.njit(parallel=True)
def _parallel(values: Any) -> Any:
    total = 0.0
    for number in numba.prange(values.size):
        total += values[number]
    return total


@numba.njit(fastmath=True)
def _fast(values: Any) -> Any:
    total = 0.0
    for number in range(values.size):
        total += values[number]
    return total


@numba.njit
def _draw(seed: Any) -> Any:
    np.random.seed(seed)
    return np.random.normal(0, 1, 1000)


def _values() -> Any:
    return np.random.default_rng(3).standard_normal(400_000)


@operation("@njit: a sum", factors=("process", "call", "threads"), data="400,000 float64")
def serial() -> Any:
    return _serial(_values())


@operation(
    "@njit(parallel=True): a sum by prange",
    factors=("process", "call", "threads"),
    data="400,000 float64",
    note="each thread sums a part of the range",
)
def parallel() -> Any:
    return _parallel(_values())


@operation(
    "@njit(fastmath=True): a sum", factors=("process", "call", "threads"), data="400,000 float64"
)
def fast() -> Any:
    return _fast(_values())


@operation(
    "numpy.random.seed inside @njit",
    factors=("process", "call", "threads"),
    data="1000 normal numbers",
)
def drawn(seed: int) -> Any:
    return _draw(seed)

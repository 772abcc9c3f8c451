"""mmh3: MurmurHash3."""

from typing import Any

import mmh3

from benchmarks.atlas.inside import operation

PACKAGE = "mmh3"
VERSIONS = ("5.3.1",)
OLDEST = "3.1.0"
DATA = [b"x" * n for n in range(500)]


@operation(
    "mmh3.hash(seed=...)", factors=("process", "version"), data="500 inputs of 0 to 499 bytes"
)
def hash32(seed: int) -> Any:
    return [mmh3.hash(item, seed) for item in DATA]


@operation(
    "mmh3.hash128(seed=...)", factors=("process", "version"), data="500 inputs of 0 to 499 bytes"
)
def hash128(seed: int) -> Any:
    return [mmh3.hash128(item, seed) for item in DATA]


@operation(
    "mmh3.hash64(seed=...)", factors=("process", "version"), data="500 inputs of 0 to 499 bytes"
)
def hash64(seed: int) -> Any:
    return [list(mmh3.hash64(item, seed)) for item in DATA]

"""xxHash: fast hashes of bytes."""

from typing import Any

import xxhash

from benchmarks.atlas.inside import operation

PACKAGE = "xxhash"
VERSIONS = ("4.1.0",)
OLDEST = "3.1.0"
DATA = [b"x" * n for n in range(500)]


@operation(
    "xxhash.xxh64(seed=...)", factors=("process", "version"), data="500 inputs of 0 to 499 bytes"
)
def xxh64(seed: int) -> Any:
    return [xxhash.xxh64_intdigest(item, seed) for item in DATA]


@operation(
    "xxhash.xxh3_64(seed=...)", factors=("process", "version"), data="500 inputs of 0 to 499 bytes"
)
def xxh3(seed: int) -> Any:
    return [xxhash.xxh3_64_intdigest(item, seed) for item in DATA]


@operation(
    "xxhash.xxh3_128(seed=...)", factors=("process", "version"), data="500 inputs of 0 to 499 bytes"
)
def xxh3_128(seed: int) -> Any:
    return [xxhash.xxh3_128_intdigest(item, seed) for item in DATA]

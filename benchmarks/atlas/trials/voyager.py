"""Voyager: nearest-neighbour search."""

from typing import Any

import numpy as np
import voyager

from benchmarks.atlas.inside import operation

PACKAGE = "voyager"
VERSIONS = ("2.2.3",)
WITH = ("numpy==2.4.6",)


def _index(threads: int) -> Any:
    index = voyager.Index(
        voyager.Space.Euclidean, num_dimensions=16, M=8, ef_construction=40, random_seed=1
    )
    index.add_items(
        np.random.default_rng(3).standard_normal((3000, 16)).astype(np.float32), num_threads=threads
    )
    return index


@operation(
    "Index.add_items(num_threads=...), query",
    factors=("process", "call", "threads"),
    data="3000 x 16, random_seed 1; neighbours of 300 queries",
    setting="num_threads=1 for add_items",
)
def query(threads: int, setting: bool) -> Any:
    queries = np.random.default_rng(4).standard_normal((300, 16)).astype(np.float32)
    return np.asarray(
        _index(1 if setting else threads).query(queries, 10, num_threads=1)[0]
    ).astype(np.int64)


@operation("Index.as_bytes", factors=("process", "call"), data="3000 x 16, one thread")
def saved() -> Any:
    return _index(1).as_bytes()

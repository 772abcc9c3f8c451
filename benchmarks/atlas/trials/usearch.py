"""USearch: nearest-neighbour search."""

from typing import Any

import numpy as np
from usearch.index import Index

from benchmarks.atlas.inside import operation

PACKAGE = "usearch"
VERSIONS = ("2.26.6",)
WITH = ("numpy==2.4.6",)


def _index(threads: int) -> Any:
    index = Index(ndim=16, metric="l2sq", dtype="f32", connectivity=8, expansion_add=32)
    index.add(
        np.arange(3000),
        np.random.default_rng(3).standard_normal((3000, 16)).astype(np.float32),
        threads=threads,
    )
    return index


@operation(
    "Index.add(threads=...), search",
    factors=("process", "call", "threads"),
    data="3000 x 16; keys of 300 queries",
    setting="threads=1 for add",
)
def query(threads: int, setting: bool) -> Any:
    queries = np.random.default_rng(4).standard_normal((300, 16)).astype(np.float32)
    return np.asarray(_index(1 if setting else threads).search(queries, 10, threads=1).keys)


@operation("Index.save", factors=("process", "call"), data="3000 x 16, one thread; the bytes")
def saved() -> Any:
    return bytes(_index(1).save())

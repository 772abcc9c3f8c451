"""PyNNDescent: approximate nearest neighbours."""

from typing import Any

import numpy as np
import pynndescent

from benchmarks.atlas.inside import operation

PACKAGE = "pynndescent"
VERSIONS = ("0.7.0",)
WITH = ("numpy==2.4.6", "scipy==1.17.1", "scikit-learn==1.9.1", "numba==0.68.1")


def _data() -> Any:
    return np.random.default_rng(3).standard_normal((3000, 16)).astype(np.float32)


@operation(
    "NNDescent(random_state=...).neighbor_graph",
    factors=("process", "call", "threads"),
    data="3000 x 16, 10 neighbours; indices",
    setting="n_jobs=1",
)
def graph(seed: int, threads: int, setting: bool) -> Any:
    return pynndescent.NNDescent(
        _data(), n_neighbors=10, random_state=seed, n_jobs=1 if setting else threads
    ).neighbor_graph[0]


@operation(
    "NNDescent(random_state=1).query",
    factors=("process", "call"),
    data="300 queries in 3000 x 16; indices",
)
def query() -> Any:
    index = pynndescent.NNDescent(_data(), n_neighbors=10, random_state=1, n_jobs=1)
    return index.query(_data()[:300] + 0.01, k=5)[0]

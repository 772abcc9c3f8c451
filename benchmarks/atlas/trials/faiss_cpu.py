"""Faiss: nearest-neighbour search."""

from typing import Any

import faiss
import numpy as np

from benchmarks.atlas.inside import operation

PACKAGE = "faiss-cpu"
VERSIONS = ("1.13.2", "1.15.1")
WITH = ("numpy==2.4.6",)
OLDEST = "1.8.0.post1"
STREAMS_WITH = ("numpy==1.26.4",)


def _data(rows: int = 6000) -> Any:
    return np.random.default_rng(3).standard_normal((rows, 16)).astype(np.float32)


def _saved(index: Any) -> Any:
    return faiss.serialize_index(index)


@operation(
    "IndexHNSWFlat.add",
    factors=("process", "call", "threads", "version"),
    data="6000 x 16, M 16; the serialised index",
    setting="faiss.omp_set_num_threads(1)",
    note="up to 1.13.2 threads link points in the order in which they end",
)
def hnsw(threads: int, setting: bool) -> Any:
    faiss.omp_set_num_threads(1 if setting else threads)
    index = faiss.IndexHNSWFlat(16, 16)
    index.add(_data())
    return _saved(index)


@operation(
    "Kmeans.train",
    factors=("process", "call", "threads", "blas threads", "version"),
    data="6000 x 16, 20 centroids, 10 iterations",
)
def kmeans(seed: int, threads: int) -> Any:
    faiss.omp_set_num_threads(threads)
    found = faiss.Kmeans(16, 20, niter=10, seed=seed)
    found.train(_data())
    return found.centroids


@operation(
    "IndexIVFFlat: train, add",
    factors=("process", "call", "threads"),
    data="6000 x 16, 32 lists; the serialised index",
)
def inverted(threads: int) -> Any:
    faiss.omp_set_num_threads(threads)
    index = faiss.IndexIVFFlat(faiss.IndexFlatL2(16), 16, 32)
    index.train(_data())
    index.add(_data())
    return _saved(index)


@operation(
    "IndexPQ: train, add",
    factors=("process", "threads"),
    data="6000 x 16, 4 parts of 6 bits; the serialised index",
)
def quantized(threads: int) -> Any:
    faiss.omp_set_num_threads(threads)
    index = faiss.IndexPQ(16, 4, 6)
    index.train(_data())
    index.add(_data())
    return _saved(index)


@operation(
    "IndexFlatL2.search",
    factors=("process", "call", "threads", "blas threads"),
    data="300 queries in 6000 x 16; distances",
)
def flat(threads: int) -> Any:
    faiss.omp_set_num_threads(threads)
    index = faiss.IndexFlatL2(16)
    index.add(_data())
    return index.search(_data(300), 10)[0]

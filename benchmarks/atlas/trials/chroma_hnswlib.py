"""hnswlib, as Chroma publishes it: nearest-neighbour search."""

from typing import Any

import hnswlib
import numpy as np

from benchmarks.atlas.inside import operation

PACKAGE = "chroma-hnswlib"
VERSIONS = ("0.7.6",)
WITH = ("numpy==2.4.6",)


def _index(threads: int) -> Any:
    index = hnswlib.Index("l2", 16)
    index.init_index(max_elements=3000, ef_construction=50, M=8, random_seed=42)
    index.add_items(
        np.random.default_rng(3).standard_normal((3000, 16)).astype(np.float32), num_threads=threads
    )
    return index


@operation(
    "Index.add_items(num_threads=...), knn_query",
    factors=("process", "call", "threads"),
    data="3000 x 16, random_seed 42; labels of 500 queries",
    setting="num_threads=1 for add_items",
)
def query(threads: int, setting: bool) -> Any:
    index = _index(1 if setting else threads)
    return index.knn_query(
        np.random.default_rng(4).standard_normal((500, 16)).astype(np.float32), 10, num_threads=1
    )[0]


@operation(
    "Index.save_index",
    factors=("process", "call"),
    data="3000 x 16, one thread; the bytes of the file",
)
def saved() -> Any:
    import tempfile
    from pathlib import Path

    index = _index(1)
    with tempfile.TemporaryDirectory() as folder:
        index.save_index(f"{folder}/index")
        return b"".join(
            path.read_bytes() for path in sorted(Path(folder).rglob("*")) if path.is_file()
        )

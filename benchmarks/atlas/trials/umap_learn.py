"""UMAP: embeddings for display."""

from typing import Any

import numpy as np
import umap

from benchmarks.atlas.inside import operation

PACKAGE = "umap-learn"
VERSIONS = ("0.5.12",)
WITH = (
    "numpy==2.4.6",
    "scipy==1.17.1",
    "scikit-learn==1.9.1",
    "numba==0.68.1",
    "pynndescent==0.7.0",
)


def _data() -> Any:
    return np.random.default_rng(3).standard_normal((500, 20))


@operation(
    "UMAP(random_state=...).fit_transform",
    factors=("process", "call", "threads"),
    data="500 x 20, 50 epochs",
)
def seeded(seed: int) -> Any:
    return umap.UMAP(random_state=seed, n_epochs=50).fit_transform(_data())


@operation(
    "UMAP().fit_transform after numpy.random.seed",
    factors=("process", "call"),
    data="500 x 20, 50 epochs, one thread",
    setting="random_state=1",
    note="numpy.random.seed does not make it repeat where threads share the work",
)
def unseeded(setting: bool) -> Any:
    np.random.seed(0)
    return umap.UMAP(random_state=1 if setting else None, n_epochs=50).fit_transform(_data())


@operation(
    "UMAP(n_jobs=...).fit_transform after numpy.random.seed",
    factors=("threads",),
    data="500 x 20, 50 epochs",
    setting="random_state=1, which sets n_jobs to 1",
)
def parallel(threads: int, setting: bool) -> Any:
    np.random.seed(0)
    more = {"random_state": 1} if setting else {"n_jobs": threads}
    return umap.UMAP(n_epochs=50, **more).fit_transform(_data())

"""implicit: recommendations from implicit feedback."""

from typing import Any

import implicit
import numpy as np
import scipy.sparse

from benchmarks.atlas.inside import operation

PACKAGE = "implicit"
VERSIONS = ("0.7.3",)
WITH = ("numpy==2.4.6", "scipy==1.17.1")


def _ratings() -> Any:
    generator = np.random.default_rng(3)
    shape = (400, 300)
    return scipy.sparse.random(*shape, 0.05, format="csr", dtype=np.float32, random_state=generator)


@operation(
    "AlternatingLeastSquares(num_threads=...).fit",
    factors=("process", "call", "threads", "blas threads"),
    data="400 x 300, 16 factors, 5 iterations; item factors",
    setting="OPENBLAS_NUM_THREADS=1",
    variables={"OPENBLAS_NUM_THREADS": "1"},
)
def als(seed: int, threads: int) -> Any:
    model = implicit.als.AlternatingLeastSquares(
        16, iterations=5, random_state=seed, num_threads=threads
    )
    model.fit(_ratings(), show_progress=False)
    return model.item_factors


@operation(
    "BayesianPersonalizedRanking(num_threads=...).fit",
    factors=("process", "call", "threads"),
    data="400 x 300, 16 factors, 5 iterations; item factors",
    setting="num_threads=1",
    note="threads update the factors without locks, and each has a stream of its own",
)
def bpr(seed: int, threads: int, setting: bool) -> Any:
    model = implicit.bpr.BayesianPersonalizedRanking(
        16, iterations=5, random_state=seed, num_threads=1 if setting else threads
    )
    model.fit(_ratings(), show_progress=False)
    return model.item_factors


@operation(
    "LogisticMatrixFactorization(num_threads=...).fit",
    factors=("process", "call", "threads"),
    data="400 x 300, 8 factors, 5 iterations; item factors",
)
def lmf(seed: int, threads: int) -> Any:
    model = implicit.lmf.LogisticMatrixFactorization(
        8, iterations=5, random_state=seed, num_threads=threads
    )
    model.fit(_ratings(), show_progress=False)
    return model.item_factors

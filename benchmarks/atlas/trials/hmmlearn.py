"""hmmlearn: hidden Markov models."""

from typing import Any

import numpy as np
from hmmlearn import hmm

from benchmarks.atlas.inside import operation

PACKAGE = "hmmlearn"
VERSIONS = ("0.3.3",)
WITH = ("numpy==2.4.6", "scipy==1.17.1", "scikit-learn==1.9.1")


def _data() -> Any:
    return np.random.default_rng(3).standard_normal((1000, 4)).cumsum(0) / 10


@operation(
    "GaussianHMM(random_state=...).fit",
    factors=("process", "call", "threads", "blas threads"),
    data="1000 x 4, 3 states, 10 iterations; means",
)
def gaussian(seed: int) -> Any:
    return hmm.GaussianHMM(3, n_iter=10, random_state=seed).fit(_data()).means_


@operation(
    "GMMHMM(random_state=...).fit",
    factors=("process", "threads", "blas threads"),
    data="1000 x 4, 2 states of 2, 5 iterations; means",
)
def mixture(seed: int) -> Any:
    return hmm.GMMHMM(2, 2, n_iter=5, random_state=seed).fit(_data()).means_

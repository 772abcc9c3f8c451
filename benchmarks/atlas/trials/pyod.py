"""PyOD: detection of outliers."""

from typing import Any

import numpy as np
from pyod.models.copod import COPOD
from pyod.models.ecod import ECOD
from pyod.models.iforest import IForest
from pyod.models.loda import LODA

from benchmarks.atlas.inside import operation

PACKAGE = "pyod"
VERSIONS = ("3.6.7",)
WITH = ("numpy==2.4.6", "scipy==1.17.1", "scikit-learn==1.9.1", "numba==0.68.1")


def _data() -> Any:
    return np.random.default_rng(3).standard_normal((600, 8))


@operation(
    "IForest(random_state=..., n_jobs=...).fit",
    factors=("process", "threads"),
    data="600 x 8, 30 trees; scores",
)
def forest(seed: int, threads: int) -> Any:
    return IForest(n_estimators=30, random_state=seed, n_jobs=threads).fit(_data()).decision_scores_


@operation(
    "LODA().fit after numpy.random.seed", factors=("process", "call"), data="600 x 8; scores"
)
def loda(seed: int) -> Any:
    np.random.seed(seed)
    return LODA(n_random_cuts=30).fit(_data()).decision_scores_


@operation("ECOD().fit", factors=("process", "call"), data="600 x 8; scores")
def ecod() -> Any:
    return ECOD().fit(_data()).decision_scores_


@operation("COPOD().fit", factors=("process", "call"), data="600 x 8; scores")
def copod() -> Any:
    return COPOD().fit(_data()).decision_scores_

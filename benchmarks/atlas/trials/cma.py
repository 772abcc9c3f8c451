"""pycma: evolution strategy CMA-ES."""

from typing import Any

import cma
import numpy as np

from benchmarks.atlas.inside import operation

PACKAGE = "cma"
VERSIONS = ("4.5.0",)
WITH = ("numpy==2.4.6",)
OLDEST = "3.2.2"
STREAMS_WITH = ("numpy==1.26.4",)


@operation(
    "CMAEvolutionStrategy(seed=...)",
    factors=("process", "call", "hash seed", "blas threads", "version"),
    data="5 variables, 10 generations; the mean",
)
def evolved(seed: int) -> Any:
    es = cma.CMAEvolutionStrategy(5 * [0.5], 0.3, {"seed": seed, "verbose": -9})
    for _ in range(10):
        found = es.ask()
        es.tell(found, [float(((np.asarray(item) - 0.1) ** 2).sum()) for item in found])
    return np.asarray(es.mean)


@operation(
    "cma.fmin2(seed=...)", factors=("process", "version"), data="4 variables, 200 evaluations"
)
def minimum(seed: int) -> Any:
    options = {"seed": seed, "verbose": -9, "maxfevals": 200}
    return np.asarray(cma.fmin2(cma.ff.rosen, 4 * [0.1], 0.5, options)[0])

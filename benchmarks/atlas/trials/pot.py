"""POT: optimal transport."""

from typing import Any

import numpy as np
import ot

from benchmarks.atlas.inside import operation

PACKAGE = "pot"
VERSIONS = ("0.9.7.post1",)
WITH = ("numpy==2.4.6", "scipy==1.17.1")


def _costs() -> tuple[Any, Any, Any]:
    generator = np.random.default_rng(3)
    one, two = generator.standard_normal((300, 2)), generator.standard_normal((300, 2)) + 1
    return np.full(300, 1 / 300), np.full(300, 1 / 300), ot.dist(one, two)


@operation("ot.emd", factors=("process", "call"), data="300 to 300 points; the plan")
def exact() -> Any:
    return ot.emd(*_costs())


@operation(
    "ot.sinkhorn",
    factors=("process", "call", "blas threads"),
    data="300 to 300 points, reg 1; the plan",
)
def sinkhorn() -> Any:
    return ot.sinkhorn(*_costs(), 1.0)


@operation(
    "ot.sliced_wasserstein_distance(seed=...)",
    factors=("process", "blas threads"),
    data="300 to 300 points, 50 projections",
)
def sliced(seed: int) -> Any:
    generator = np.random.default_rng(3)
    one, two = generator.standard_normal((300, 2)), generator.standard_normal((300, 2)) + 1
    return float(ot.sliced_wasserstein_distance(one, two, n_projections=50, seed=seed))

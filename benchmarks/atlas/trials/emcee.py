"""emcee: Markov chain Monte Carlo."""

from typing import Any

import emcee
import numpy as np

from benchmarks.atlas.inside import operation

PACKAGE = "emcee"
VERSIONS = ("3.1.6",)
WITH = ("numpy==2.4.6",)


def _chain(rows: int, seed: int) -> Any:
    np.random.seed(seed)
    sampler = emcee.EnsembleSampler(20, 3, lambda x: -0.5 * float((x**2).sum()))
    sampler.run_mcmc(np.random.RandomState(3).standard_normal((20, 3)), rows)
    return sampler.get_chain()


@operation(
    "EnsembleSampler.run_mcmc after numpy.random.seed",
    factors=("process", "call", "hash seed"),
    data="20 walkers, 50 steps; the chain",
)
def sampled(seed: int) -> Any:
    return _chain(50, seed)


@operation(
    "EnsembleSampler(moves=DEMove()).run_mcmc after numpy.random.seed",
    factors=("process", "call"),
    data="20 walkers, 50 steps; the chain",
)
def moved(seed: int) -> Any:
    np.random.seed(seed)
    sampler = emcee.EnsembleSampler(
        20, 3, lambda x: -0.5 * float((x**2).sum()), moves=emcee.moves.DEMove()
    )
    sampler.run_mcmc(np.random.RandomState(3).standard_normal((20, 3)), 50)
    return sampler.get_chain()

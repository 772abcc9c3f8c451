"""Hyperopt: hyper-parameter search."""

from typing import Any

import hyperopt
import numpy as np
from hyperopt import hp

from benchmarks.atlas.inside import operation

PACKAGE = "hyperopt"
VERSIONS = ("0.3.0",)
WITH = ("numpy==2.4.6", "scipy==1.17.1")
SPACE = {"x": hp.uniform("x", -5, 5), "n": hp.quniform("n", 1, 100, 1), "c": hp.choice("c", [0, 1])}


def _search(seed: int, suggest: Any) -> Any:
    trials = hyperopt.Trials()
    hyperopt.fmin(
        lambda p: (p["x"] - 1) ** 2 + abs(p["n"] - 20) / 10 + p["c"],
        SPACE,
        algo=suggest,
        max_evals=30,
        trials=trials,
        rstate=np.random.default_rng(seed),
        show_progressbar=False,
    )
    return [[float(value[0]) for value in item["misc"]["vals"].values()] for item in trials.trials]


@operation(
    "fmin(tpe.suggest, rstate=...)",
    factors=("process", "call", "hash seed", "blas threads"),
    data="30 evaluations of three parameters",
)
def tpe(seed: int) -> Any:
    return _search(seed, hyperopt.tpe.suggest)


@operation(
    "fmin(rand.suggest, rstate=...)",
    factors=("process", "call", "hash seed"),
    data="30 evaluations of three parameters",
)
def random(seed: int) -> Any:
    return _search(seed, hyperopt.rand.suggest)


@operation(
    "fmin(anneal.suggest, rstate=...)",
    factors=("process", "call", "hash seed"),
    data="30 evaluations of three parameters",
)
def anneal(seed: int) -> Any:
    return _search(seed, hyperopt.anneal.suggest)

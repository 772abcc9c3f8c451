"""Optuna: hyper-parameter search."""

from typing import Any

import optuna

from benchmarks.atlas.inside import operation

PACKAGE = "optuna"
VERSIONS = ("5.0.0",)
WITH = ("numpy==2.4.6", "scipy==1.17.1", "cmaes")
OLDEST = "3.0.6"
STREAMS_WITH = ("numpy==1.26.4", "scipy==1.13.1", "cmaes==0.10.0")
optuna.logging.set_verbosity(optuna.logging.ERROR)


def _search(sampler: Any, jobs: int = 1, count: int = 40) -> Any:
    def objective(trial: Any) -> Any:
        x, y = trial.suggest_float("x", -5, 5), trial.suggest_int("n", 1, 100, log=True)
        return (x - 1) ** 2 + abs(y - 20) / 10 + (trial.suggest_categorical("c", ["a", "b"]) == "a")

    study = optuna.create_study(sampler=sampler)
    study.optimize(objective, n_trials=count, n_jobs=jobs)
    return [
        [item.params["x"], item.params["n"], item.params["c"]]
        for item in sorted(study.trials, key=lambda one: one.number)
    ]


@operation(
    "Study.optimize(n_jobs=...) with TPESampler(seed=...)",
    factors=("process", "call", "threads", "hash seed", "version"),
    data="40 trials of three parameters",
    setting="n_jobs=1",
    note="a trial is proposed from those that have ended by then",
)
def tpe(seed: int, threads: int, setting: bool) -> Any:
    return _search(optuna.samplers.TPESampler(seed=seed), 1 if setting else threads)


@operation(
    "TPESampler(multivariate=True, seed=...)",
    factors=("process", "version"),
    data="40 trials of three parameters",
)
def multivariate(seed: int) -> Any:
    return _search(optuna.samplers.TPESampler(seed=seed, multivariate=True))


@operation(
    "RandomSampler(seed=...)", factors=("process", "version"), data="40 trials of three parameters"
)
def random(seed: int) -> Any:
    return _search(optuna.samplers.RandomSampler(seed=seed))


@operation(
    "QMCSampler(seed=...)", factors=("process", "version"), data="40 trials of three parameters"
)
def quasi(seed: int) -> Any:
    return _search(optuna.samplers.QMCSampler(seed=seed))


@operation(
    "NSGAIISampler(seed=...)", factors=("process", "version"), data="60 trials of three parameters"
)
def genetic(seed: int) -> Any:
    return _search(optuna.samplers.NSGAIISampler(seed=seed, population_size=10), count=60)

"""XGBoost: boosted trees."""

from typing import Any

import numpy as np
import xgboost

from benchmarks.atlas.inside import operation

PACKAGE = "xgboost"
VERSIONS = ("3.2.0",)
WITH = ("numpy==2.4.6", "scipy==1.17.1")
ALSO = ("xgboost-cpu",)
OLDEST = "1.7.6"
STREAMS_WITH = ("numpy==1.26.4", "scipy==1.13.1")


def _data(heavy: bool = False) -> tuple[Any, Any]:
    generator = np.random.RandomState(7)
    x = generator.standard_normal((20_000, 30)).astype(np.float32)
    y = x @ generator.standard_normal(30) + 0.3 * generator.standard_normal(20_000)
    return x, np.sinh(y) * np.exp(2 * generator.standard_normal(20_000)) if heavy else y


def _train(x: Any, y: Any, threads: int, **parameters: Any) -> Any:
    given = {"tree_method": "hist", "nthread": threads, **parameters}
    booster = xgboost.train(given, xgboost.DMatrix(x, y, nthread=threads), 30)
    booster.set_param({"nthread": 1})
    return booster.predict(xgboost.DMatrix(x[:5000], nthread=1))


@operation(
    "xgboost.train(tree_method='hist') with a heavy-tailed target",
    factors=("process", "call", "threads"),
    data="20,000 x 30, target sinh(y) * exp(2 * normal), 30 rounds; predictions",
)
def heavy(threads: int) -> Any:
    return _train(*_data(heavy=True), threads, seed=1)


@operation(
    "xgboost.train(tree_method='hist')",
    factors=("process", "threads", "hash seed", "version"),
    data="20,000 x 30, 30 rounds; predictions",
)
def hist(threads: int) -> Any:
    return _train(*_data(), threads, seed=1)


@operation(
    "xgboost.train(subsample=0.5, colsample_bytree=0.5)",
    factors=("process", "threads", "version"),
    data="20,000 x 30, 30 rounds; predictions",
)
def subsample(seed: int, threads: int) -> Any:
    return _train(*_data(), threads, seed=seed, subsample=0.5, colsample_bytree=0.5)


@operation(
    "xgboost.train(booster='gblinear')",
    factors=("process", "call", "threads"),
    data="20,000 x 30, 30 rounds, updater shotgun, the default; predictions",
    setting="updater='coord_descent'",
    note="the shotgun updater writes weights from several threads without locks",
)
def linear(threads: int, setting: bool) -> Any:
    more = {"updater": "coord_descent"} if setting else {}
    return _train(*_data(), threads, seed=1, booster="gblinear", **more)


@operation(
    "Booster.save_raw('ubj')",
    factors=("process", "call"),
    data="the model of 5 rounds; the bytes of the file",
)
def saved() -> Any:
    x, y = _data()
    booster = xgboost.train({"nthread": 1, "seed": 1}, xgboost.DMatrix(x[:2000], y[:2000]), 5)
    return bytes(booster.save_raw("ubj"))

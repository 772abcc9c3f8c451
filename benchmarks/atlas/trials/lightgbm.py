"""LightGBM: boosted trees."""

from typing import Any

import lightgbm
import numpy as np

from benchmarks.atlas.inside import operation

PACKAGE = "lightgbm"
VERSIONS = ("4.7.0",)
WITH = ("numpy==2.4.6", "scipy==1.17.1")
OLDEST = "4.0.0"
STREAMS_WITH = ("numpy==1.26.4", "scipy==1.13.1")
ROUNDS = 30


def _data(heavy: bool) -> tuple[Any, Any]:
    generator = np.random.RandomState(7)
    x = generator.standard_normal((20_000, 30)).astype(np.float32).astype(np.float64)
    y = x @ generator.standard_normal(30) + 0.3 * generator.standard_normal(20_000)
    return x, np.sinh(y) * np.exp(2 * generator.standard_normal(20_000)) if heavy else y


def _train(x: Any, y: Any, **parameters: Any) -> Any:
    booster = lightgbm.train({"verbose": -1, **parameters}, lightgbm.Dataset(x, y), ROUNDS)
    return booster.predict(x[:5000], num_threads=1)


@operation(
    "lightgbm.train with a heavy-tailed target",
    factors=("process", "call", "threads", "hash seed"),
    data="20,000 x 30, target sinh(y) * exp(2 * normal), 30 rounds; predictions",
    setting="deterministic=True, force_row_wise=True",
    note="histograms of gradients of a large range are rounded, by how rows are split",
)
def heavy(threads: int, setting: bool) -> Any:
    more = {"deterministic": True, "force_row_wise": True} if setting else {}
    return _train(*_data(heavy=True), seed=1, num_threads=threads, **more)


@operation(
    "lightgbm.train with a normal target",
    factors=("threads", "version"),
    data="20,000 x 30, 30 rounds; predictions",
    note="gradients of a small range add exactly in float64: tame data hide what threads do",
)
def normal(threads: int) -> Any:
    return _train(*_data(heavy=False), seed=1, num_threads=threads)


@operation(
    "lightgbm.train with bagging_fraction and feature_fraction",
    factors=("process", "threads", "version"),
    data="20,000 x 30, fractions 0.5, normal target, 30 rounds; predictions",
)
def bagging(seed: int, threads: int) -> Any:
    return _train(
        *_data(heavy=False),
        seed=seed,
        num_threads=threads,
        bagging_fraction=0.5,
        bagging_freq=1,
        feature_fraction=0.5,
    )


@operation(
    "lightgbm.train(objective='binary')",
    factors=("process", "threads", "version"),
    data="20,000 x 30, 30 rounds; probabilities",
)
def binary(threads: int) -> Any:
    x, y = _data(heavy=False)
    return _train(x, (y > 0).astype(int), seed=1, num_threads=threads, objective="binary")

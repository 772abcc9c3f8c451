"""CatBoost: boosted trees."""

from typing import Any

import catboost
import numpy as np

from benchmarks.atlas.inside import operation

PACKAGE = "catboost"
VERSIONS = ("1.2.10",)
WITH = ("numpy==2.4.6", "pandas==3.1.1", "scipy==1.17.1")
OLDEST = "1.2"
STREAMS_WITH = ("numpy==1.26.4", "pandas==2.2.3", "scipy==1.13.1")


def _data() -> tuple[Any, Any]:
    generator = np.random.default_rng(1)
    x = generator.normal(size=(20_000, 30))
    return x, x @ generator.normal(size=30) + generator.normal(size=20_000)


def _given(**more: Any) -> dict[str, Any]:
    return {"iterations": 30, "verbose": False, "allow_writing_files": False, **more}


@operation(
    "CatBoostClassifier.fit",
    factors=("process", "call", "threads"),
    data="20,000 x 30, 30 iterations; predict_proba",
    setting="leaf_estimation_backtracking='No'",
    note="the metric is rounded by thread, and the search for leaf values compares it",
)
def classifier(threads: int, setting: bool) -> Any:
    x, y = _data()
    more = {"leaf_estimation_backtracking": "No"} if setting else {}
    given = _given(random_seed=1, thread_count=threads, **more)
    return catboost.CatBoostClassifier(**given).fit(x, y > 0).predict_proba(x[:2000])


@operation(
    "CatBoostRegressor.fit",
    factors=("process", "threads", "hash seed", "version"),
    data="20,000 x 30, 30 iterations; predictions",
)
def regressor(threads: int) -> Any:
    x, y = _data()
    given = _given(random_seed=1, thread_count=threads)
    return catboost.CatBoostRegressor(**given).fit(x, y).predict(x[:2000])


@operation(
    "CatBoostRegressor(bootstrap_type='Bernoulli', subsample=0.5, rsm=0.5).fit",
    factors=("process", "threads", "version"),
    data="20,000 x 30, 30 iterations; predictions",
)
def bernoulli(seed: int, threads: int) -> Any:
    x, y = _data()
    given = _given(
        random_seed=seed, thread_count=threads, bootstrap_type="Bernoulli", subsample=0.5, rsm=0.5
    )
    return catboost.CatBoostRegressor(**given).fit(x, y).predict(x[:2000])


@operation(
    "CatBoost.save_model(format='cbm')",
    factors=("process", "call"),
    data="a model of 5 iterations, one thread; the bytes of the file",
    note="the file holds a random identifier and the time of day",
)
def saved() -> Any:
    import tempfile
    from pathlib import Path

    x, y = _data()
    model = catboost.CatBoostRegressor(**_given(random_seed=1, thread_count=1, iterations=5))
    model.fit(x[:1000], y[:1000])
    with tempfile.TemporaryDirectory() as folder:
        model.save_model(f"{folder}/model.cbm")
        return Path(folder, "model.cbm").read_bytes()

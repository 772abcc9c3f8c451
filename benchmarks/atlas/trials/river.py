"""River: learning from streams."""

from typing import Any

import numpy as np
from river import compose, forest, linear_model, preprocessing, tree

from benchmarks.atlas.inside import operation

PACKAGE = "river"
VERSIONS = ("0.26.1",)
WITH = ("numpy==2.4.6", "scipy==1.17.1")


def _probabilities(model: Any) -> Any:
    generator = np.random.default_rng(3)
    found = []
    for _ in range(300):
        x = {f"f{n}": float(value) for n, value in enumerate(generator.standard_normal(5))}
        y = x["f0"] + x["f1"] > 0
        found.append(float(model.predict_proba_one(x).get(True, 0.0)))
        model.learn_one(x, y)
    return found


@operation(
    "ARFClassifier(seed=...)",
    factors=("process", "call", "hash seed"),
    data="300 samples, 5 trees; probabilities",
)
def forest_(seed: int) -> Any:
    return _probabilities(forest.ARFClassifier(n_models=5, seed=seed))


@operation(
    "HoeffdingAdaptiveTreeClassifier(seed=1)",
    factors=("process", "hash seed"),
    data="300 samples; probabilities",
)
def tree_() -> Any:
    return _probabilities(tree.HoeffdingAdaptiveTreeClassifier(seed=1, grace_period=20))


@operation(
    "StandardScaler | LogisticRegression",
    factors=("process", "call", "hash seed"),
    data="300 samples; probabilities",
)
def linear() -> Any:
    return _probabilities(
        compose.Pipeline(preprocessing.StandardScaler(), linear_model.LogisticRegression())
    )

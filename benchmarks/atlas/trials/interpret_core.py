"""InterpretML: explainable boosting machines."""

from typing import Any

import numpy as np
from interpret.glassbox import ExplainableBoostingClassifier, ExplainableBoostingRegressor

from benchmarks.atlas.inside import operation

PACKAGE = "interpret-core"
VERSIONS = ("0.7.8",)
WITH = ("numpy==2.4.6", "scipy==1.17.1", "scikit-learn==1.8.0", "pandas==2.3.3", "joblib")


def _data() -> tuple[Any, Any]:
    generator = np.random.default_rng(3)
    x = generator.standard_normal((1000, 5))
    return x, x[:, 0] + x[:, 1] ** 2 + 0.3 * generator.standard_normal(1000)


@operation(
    "ExplainableBoostingRegressor(random_state=..., n_jobs=...).fit",
    factors=("process", "threads"),
    data="1000 x 5, 2 outer bags, 50 rounds; predictions",
)
def regressor(seed: int, threads: int) -> Any:
    x, y = _data()
    model = ExplainableBoostingRegressor(
        random_state=seed, n_jobs=threads, outer_bags=2, max_rounds=50, interactions=0
    )
    return model.fit(x, y).predict(x)


@operation(
    "ExplainableBoostingClassifier(random_state=..., n_jobs=...).fit",
    factors=("process", "threads"),
    data="1000 x 5, 2 outer bags, 50 rounds; probabilities",
)
def classifier(seed: int, threads: int) -> Any:
    x, y = _data()
    model = ExplainableBoostingClassifier(
        random_state=seed, n_jobs=threads, outer_bags=2, max_rounds=50, interactions=0
    )
    return model.fit(x, (y > 1).astype(int)).predict_proba(x)

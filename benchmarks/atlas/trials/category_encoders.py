"""category_encoders: categories as numbers."""

from typing import Any

import category_encoders as ce
import numpy as np
import pandas as pd

from benchmarks.atlas.inside import operation

PACKAGE = "category-encoders"
VERSIONS = ("2.11.2",)
WITH = ("numpy==2.4.6", "scipy==1.17.1", "scikit-learn==1.9.1", "pandas==3.1.1")


def _encoded(encoder: Any) -> Any:
    generator = np.random.RandomState(3)
    table = pd.DataFrame({"c": [f"k{n}" for n in generator.randint(0, 12, 400)]})
    y = (generator.rand(400) < 0.3).astype(int)
    return encoder.fit_transform(table, y).to_numpy(dtype=float)


@operation(
    "TargetEncoder.fit_transform",
    factors=("process", "call", "hash seed"),
    data="400 rows, 12 categories",
)
def target() -> Any:
    return _encoded(ce.TargetEncoder(cols=["c"]))


@operation(
    "CatBoostEncoder(sigma=0.1, random_state=...).fit_transform",
    factors=("process", "call", "hash seed"),
    data="400 rows, 12 categories",
)
def noisy(seed: int) -> Any:
    return _encoded(ce.CatBoostEncoder(cols=["c"], sigma=0.1, random_state=seed))


@operation(
    "HashingEncoder(max_process=1).fit_transform",
    factors=("process", "hash seed"),
    data="400 rows, 12 categories",
)
def hashing() -> Any:
    return _encoded(ce.HashingEncoder(cols=["c"], max_process=1))


@operation(
    "LeaveOneOutEncoder(sigma=0.1, random_state=...).fit_transform",
    factors=("process", "hash seed"),
    data="400 rows, 12 categories",
)
def leave_one_out(seed: int) -> Any:
    return _encoded(ce.LeaveOneOutEncoder(cols=["c"], sigma=0.1, random_state=seed))

"""iterative-stratification: splits of data with several labels."""

from typing import Any

import numpy as np
from iterstrat import ml_stratifiers

from benchmarks.atlas.inside import operation

PACKAGE = "iterative-stratification"
VERSIONS = ("0.1.9",)
WITH = ("numpy==2.4.6", "scipy==1.17.1", "scikit-learn==1.9.1")


def _folds(splitter: Any) -> Any:
    generator = np.random.RandomState(3)
    x, y = generator.standard_normal((300, 4)), generator.randint(0, 2, (300, 5))
    return np.concatenate([test for _, test in splitter.split(x, y)])


@operation(
    "MultilabelStratifiedKFold(random_state=...)",
    factors=("process", "call", "hash seed"),
    data="300 rows of 5 labels, 3 folds",
)
def k_fold(seed: int) -> Any:
    return _folds(ml_stratifiers.MultilabelStratifiedKFold(3, shuffle=True, random_state=seed))


@operation(
    "MultilabelStratifiedShuffleSplit(random_state=...)",
    factors=("process", "call", "hash seed"),
    data="300 rows of 5 labels, 3 splits",
)
def shuffle_split(seed: int) -> Any:
    return _folds(
        ml_stratifiers.MultilabelStratifiedShuffleSplit(3, test_size=0.3, random_state=seed)
    )

"""CatBoost: boosted symmetric trees, whose line search depends on the number of threads."""

from __future__ import annotations

from typing import Final

from freezer.frameworks.description import (
    Documented,
    Framework,
    Influence,
    Switch,
    Tolerance,
)
from freezer.frameworks.hosts import DAY, ZEN_4

DESCRIPTION: Final = Framework(
    title="CatBoost",
    packages=("catboost",),
    training="catboost",
    tolerance=Tolerance(
        loss=1e-12,
        tensor=1e-10,
        source=f"1.2.10 on {ZEN_4}, {DAY}: 1 to 8 threads and another hash seed changed losses by "
        "2e-14 and no tree; another seed, one flipped label, and a relative 2e-7 of the learning "
        "rate or 3e-5 of l2_leaf_reg changed losses by 1e-8 and more, leaves by 2e-7 and more",
    ),
    switches=(Switch("leaf_estimation_backtracking"),),
    documented=(
        Documented(
            says="classifiers trained with another thread_count are other models, although its "
            "documentation says that thread_count does not affect results",
            mitigation="the same thread_count everywhere, or leaf_estimation_backtracking='No'",
            source="https://github.com/catboost/catboost/issues/2804",
        ),
        Documented(
            says="training on GPUs adds in no fixed order",
            mitigation="train on the CPU (task_type='CPU') where results must repeat",
            source="https://catboost.ai/docs/en/features/training-on-gpu",
            gpu=True,
        ),
    ),
    changes=(
        Influence(
            pattern="catboost", likelihood="likely", why="split finding changes with releases"
        ),
    ),
)

"""CatBoost: boosted symmetric trees, whose line search depends on the number of threads."""

from __future__ import annotations

from typing import Final

from freezer.frameworks.description import (
    Documented,
    Framework,
    Influence,
    Measured,
    Switch,
    Tolerance,
)
from freezer.frameworks.hosts import DAY, ZEN_3, ZEN_4

_CLASSIFIER: Final = (
    "20000 x 30 normal features, labels of a noisy linear function, three seeds, 30 trees, with "
    "and without a categorical feature and sampling; threads 1, 2, 3 and 4; predict_proba"
)

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
    measured=(
        Measured(
            package="catboost",
            versions=("1.2.10",),
            operation="CatBoostClassifier(loss_function='Logloss').fit from 10,000 rows on",
            factor="threads",
            effect="differs",
            finding="other trees, with probabilities up to 0.58 apart: the metric is a sum over as "
            "many parts as threads, and the search for leaf values compares it; each number of "
            "threads repeats itself",
            setting="leaf_estimation_backtracking='No': the same bits with 1, 2, 3 and 4 threads",
            how=_CLASSIFIER,
            cpu=ZEN_4,
            date=DAY,
        ),
        Measured(
            package="catboost",
            versions=("1.2.10",),
            operation="CatBoostClassifier(loss_function='Logloss').fit",
            factor="data size",
            effect="differs",
            finding="up to 8192 rows, and with 16384, the number of threads changes nothing; with "
            "12288 and 20480 it does: weights of one in a power of two are added without rounding",
            setting="leaf_estimation_backtracking='No'",
            how="4096 to 20480 x 32 exact binary fractions, 20 trees; threads 1, 2 and 4",
            cpu=ZEN_4,
            date=DAY,
        ),
        Measured(
            package="catboost",
            versions=("1.2.10",),
            operation="CatBoostRegressor.fit: RMSE and MAE; Plain, Ordered, Depthwise, Lossguide; "
            "Bernoulli and MVS; a categorical feature",
            factor="threads",
            effect="same",
            finding="the same predictions with 1, 2 and 4 threads, with a heavy-tailed target too",
            how="20000 x 30, target sinh(y) * exp(2 * normal), 50 trees",
            cpu=ZEN_4,
            date=DAY,
        ),
        Measured(
            package="catboost",
            versions=("1.2.10",),
            operation="CatBoostClassifier.fit, the built-in training",
            factor="cpu kernels",
            effect="same",
            finding="an emulated Haswell and EPYC give the bits of this host, with portable "
            "numerics and without; a Nehalem differs within the tolerance",
            how="benchmarks/other_cpu, qemu 7.2.22",
            cpu=ZEN_4,
            date=DAY,
        ),
        Measured(
            package="catboost",
            versions=("1.2.10",),
            operation="save_model: .cbm, .json, .onnx",
            factor="process",
            effect="varies",
            finding="model_guid is random and train_finish_time is the time of day; predictions "
            "are the same",
            how="the same model trained in two processes; bytes of the files",
            cpu=ZEN_4,
            date=DAY,
        ),
        Measured(
            package="catboost",
            versions=("1.2", "1.2.10"),
            operation="CatBoostRegressor.fit",
            factor="version",
            effect="same",
            finding="the same predictions in both, with and without Bernoulli sampling",
            how="20000 x 30, 50 trees, one thread",
            cpu=ZEN_3,
            date=DAY,
        ),
    ),
    changes=(
        Influence(
            pattern="catboost", likelihood="likely", why="split finding changes with releases"
        ),
    ),
)

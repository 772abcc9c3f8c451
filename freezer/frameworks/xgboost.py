"""XGBoost: boosted trees by histogram."""

from __future__ import annotations

from typing import Final

from freezer.frameworks.description import (
    Documented,
    Framework,
    Gpu,
    Influence,
    Measured,
    Tolerance,
)
from freezer.frameworks.hosts import DAY, ZEN_3, ZEN_4_STUDY

DESCRIPTION: Final = Framework(
    title="XGBoost",
    packages=("xgboost", "xgboost-cpu"),
    conda={
        "py-xgboost": "xgboost",
        "py-xgboost-cpu": "xgboost",
        "py-xgboost-gpu": "xgboost",
    },
    training="xgboost",
    tolerance=Tolerance(loss=1e-6, tensor=1e-5, source=ZEN_4_STUDY),
    documented=(
        Documented(
            says="the GPU's histograms are rounded before they are added; with several workers the "
            "order of partitions counts",
            mitigation="a fixed number of workers and of rows in each",
            source="https://xgboost.readthedocs.io/en/stable/faq.html",
            gpu=True,
        ),
    ),
    measured=(
        Measured(
            package="xgboost",
            versions=("3.2.0",),
            operation="train(tree_method='hist')",
            factor="threads",
            effect="same",
            finding="the same predictions with 1 and 2 threads, with a heavy-tailed target and "
            "with sampled rows and columns too",
            how="20000 x 30, 50 rounds, regression and binary, threads 1, 2 and 2 again",
            cpu=ZEN_3,
            date=DAY,
        ),
        Measured(
            package="xgboost",
            versions=("1.7.6", "2.0.3", "2.1.4", "3.0.5", "3.2.0"),
            operation="train(tree_method='hist')",
            factor="version",
            effect="differs",
            finding="other predictions from 2.0.3 on, and the same from there to 3.2.0; the bytes "
            "of a saved .ubj differ in each",
            how="20000 x 30, 50 rounds, one thread",
            cpu=ZEN_3,
            date=DAY,
        ),
    ),
    changes=(
        Influence(
            pattern=r"xgboost.*|py-xgboost.*|libxgboost",
            likelihood="likely",
            why="split finding changes with releases",
        ),
    ),
    gpu=Gpu(
        source="https://xgboost.readthedocs.io/en/stable/install.html and the builds of "
        "conda-forge",
        cpu_wheels={"xgboost-cpu": "xgboost"},
        conda=("libxgboost", "py-xgboost", "xgboost"),
        conda_cpu={"py-xgboost-cpu": "py-xgboost-gpu"},
        conda_parts={
            "py-xgboost": ("libxgboost",),
            "xgboost": ("libxgboost", "py-xgboost"),
        },
    ),
)

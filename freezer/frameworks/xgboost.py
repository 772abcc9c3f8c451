"""XGBoost: boosted trees by histogram, and a linear booster whose threads race."""

from __future__ import annotations

from typing import Final

from freezer.frameworks.description import (
    Documented,
    Framework,
    Gpu,
    Influence,
    Switch,
    Tolerance,
)
from freezer.frameworks.hosts import ZEN_4_STUDY

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
    switches=(Switch("updater"),),
    documented=(
        Documented(
            says="the linear booster (gblinear) lets threads update the same weights without order",
            mitigation="updater='coord_descent'",
            source="https://xgboost.readthedocs.io/en/stable/parameter.html"
            "#parameters-for-linear-booster-booster-gblinear",
        ),
        Documented(
            says="the GPU's histograms are rounded before they are added; with several workers the "
            "order of partitions counts",
            mitigation="a fixed number of workers and of rows in each",
            source="https://xgboost.readthedocs.io/en/stable/faq.html",
            gpu=True,
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

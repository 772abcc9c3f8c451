"""LightGBM: boosted trees, whose bits depend on threads where targets have a heavy tail."""

from __future__ import annotations

from typing import Final

from freezer.frameworks.description import (
    Documented,
    Framework,
    Gpu,
    Influence,
    Measured,
    Switch,
    Tolerance,
)
from freezer.frameworks.hosts import DAY, ZEN_3, ZEN_4_STUDY

DESCRIPTION: Final = Framework(
    title="LightGBM",
    packages=("lightgbm",),
    conda={"py-lightgbm": "lightgbm"},
    training="lightgbm",
    tolerance=Tolerance(loss=1e-12, tensor=1e-10, source=ZEN_4_STUDY),
    switches=(Switch("deterministic"), Switch("force_row_wise")),
    documented=(
        Documented(
            says="histograms and metrics depend on the number of threads, and on whether it goes "
            "by rows or by columns, which it tries at the start",
            mitigation="deterministic=true, force_row_wise=true (or force_col_wise), a fixed "
            "num_threads",
            source="https://lightgbm.readthedocs.io/en/latest/Parameters.html#deterministic",
        ),
    ),
    measured=(
        Measured(
            package="lightgbm",
            versions=("4.7.0",),
            operation="train with a heavy-tailed target",
            factor="threads",
            effect="differs",
            finding="1 and 2 threads give other predictions; 2 repeat themselves",
            setting="deterministic=true and force_row_wise=true: the bits of one thread",
            how="20000 x 30, target sinh(y) * exp(2 * normal), 50 rounds, threads 1, 2 and 2 again",
            cpu=ZEN_3,
            date=DAY,
        ),
        Measured(
            package="lightgbm",
            versions=("4.7.0",),
            operation="train with a normal target",
            factor="threads",
            effect="same",
            finding="gradients of a small range add exactly in double precision, so tame data "
            "hide what threads do",
            how="20000 x 30, 50 rounds, regression and binary, with and without bagging, threads "
            "1, 2 and 2 again",
            cpu=ZEN_3,
            date=DAY,
        ),
        Measured(
            package="lightgbm",
            versions=("4.0.0", "4.3.0", "4.5.0", "4.7.0"),
            operation="train",
            factor="version",
            effect="same",
            finding="the same predictions in all four; the text of a saved model differs in 4.7.0",
            how="20000 x 30, 50 rounds, with and without bagging, one thread",
            cpu=ZEN_3,
            date=DAY,
        ),
    ),
    changes=(
        Influence(
            pattern=r"(py-)?lightgbm",
            likelihood="likely",
            why="split finding changes with releases",
        ),
    ),
    gpu=Gpu(
        source="https://lightgbm.readthedocs.io/en/latest/GPU-Tutorial.html, the builds of "
        "conda-forge, and the wheels on the Python package index",
        wheels_on_cpu=("lightgbm",),
        conda=("lightgbm",),
    ),
)

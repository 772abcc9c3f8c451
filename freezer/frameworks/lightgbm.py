"""LightGBM: boosted trees, whose bits depend on threads where targets have a heavy tail."""

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

"""scikit-learn: estimators over NumPy and SciPy, with OpenMP, joblib and a BLAS."""

from __future__ import annotations

from typing import Final

from freezer.frameworks.description import Documented, Framework, Influence, Switch, Tolerance
from freezer.frameworks.hosts import ZEN_4_STUDY

DESCRIPTION: Final = Framework(
    title="scikit-learn",
    packages=("scikit-learn",),
    mistaken=("sklearn",),
    training="sklearn",
    tolerance=Tolerance(loss=1e-12, tensor=1e-10, source=ZEN_4_STUDY),
    switches=(Switch("one job for predictions"),),
    documented=(
        Documented(
            says="estimators without random_state draw from NumPy's global generator",
            mitigation="give random_state to each estimator and splitter",
            source="https://scikit-learn.org/stable/common_pitfalls.html#controlling-randomness",
        ),
        Documented(
            says="forests predict in threads that add in the order in which they end (n_jobs "
            "above 1)",
            mitigation="predict with n_jobs=1",
            source="https://scikit-learn.org/stable/modules/generated/"
            "sklearn.ensemble.RandomForestClassifier.html",
        ),
    ),
    changes=(
        Influence(
            pattern="scikit-learn",
            likelihood="likely",
            why="algorithms and defaults change with minor releases",
        ),
    ),
)

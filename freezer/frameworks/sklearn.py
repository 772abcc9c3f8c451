"""scikit-learn: estimators over NumPy and SciPy, with OpenMP, joblib and a BLAS."""

from __future__ import annotations

from typing import Final

from freezer.frameworks.description import Documented, Framework, Influence, Measured, Tolerance
from freezer.frameworks.hosts import DAY, ZEN_3, ZEN_4, ZEN_4_STUDY

_SMALL: Final = "6000 x 40 doubles, n_jobs, OMP and OpenBLAS threads 1, 2 and 2 again; predictions"
_LARGE: Final = "40000 x 60 doubles, threads 1 and 2, one run each; coefficients"
_RELEASES: Final = ("1.3.2", "1.5.2", "1.7.2", "1.9.1")
_UPGRADES: Final = (
    "64 estimators, splitters and generators with a fixed seed, one thread, the same NumPy 1.26.4 "
    "and SciPy 1.13.1 under each release"
)

DESCRIPTION: Final = Framework(
    title="scikit-learn",
    packages=("scikit-learn",),
    mistaken=("sklearn",),
    training="sklearn",
    tolerance=Tolerance(loss=1e-12, tensor=1e-10, source=ZEN_4_STUDY),
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
    measured=(
        Measured(
            package="scikit-learn",
            versions=("1.9.1",),
            operation="RandomForestRegressor(n_jobs=2).predict",
            factor="call",
            effect="varies",
            finding="other bits in each call: trees are added in the order in which threads end",
            setting="n_jobs=1 for predict",
            how="6000 x 40 doubles, 100 trees, four calls in each of two processes",
            cpu=ZEN_4,
            date=DAY,
        ),
        Measured(
            package="scikit-learn",
            versions=("1.9.1",),
            operation="RandomForestClassifier(n_jobs=2).predict_proba",
            factor="threads",
            effect="same",
            finding="the same bits with 1 and 2 threads, where the regressor's vary",
            how=_SMALL,
            cpu=ZEN_3,
            date=DAY,
        ),
        Measured(
            package="scikit-learn",
            versions=("1.9.1",),
            operation="KMeans.fit: centres and inertia",
            factor="threads",
            effect="differs",
            finding="1 and 2 threads give other centres, and the same labels; 2 repeat themselves",
            setting="the same OMP_NUM_THREADS everywhere",
            how=_SMALL,
            cpu=ZEN_3,
            date=DAY,
        ),
        Measured(
            package="scikit-learn",
            versions=("1.9.1",),
            operation="TruncatedSVD(random_state=0).fit",
            factor="blas threads",
            effect="differs",
            finding="other components with 1 and 2 threads of OpenBLAS",
            setting="the same OPENBLAS_NUM_THREADS everywhere",
            how="tf-idf of a text corpus, OpenBLAS threads 1 and 2; 1 thread twice is the same",
            cpu=ZEN_3,
            date=DAY,
        ),
        Measured(
            package="scikit-learn",
            versions=("1.9.1",),
            operation="LogisticRegression, Ridge, LinearRegression, PCA(svd_solver='randomized')",
            factor="data size",
            effect="differs",
            finding="1 and 2 threads agree on 6000 x 40 values and differ on 40000 x 60: products "
            "are split among threads from some size on",
            setting="the same OPENBLAS_NUM_THREADS everywhere",
            how=f"{_SMALL}; {_LARGE}",
            cpu=ZEN_3,
            date=DAY,
        ),
        Measured(
            package="scikit-learn",
            versions=_RELEASES,
            operation="StratifiedGroupKFold(shuffle=True), GroupKFold",
            factor="version",
            effect="differs",
            finding="1.9.1 splits otherwise than 1.7.2 with the same seed; KFold, "
            "StratifiedKFold, ShuffleSplit and train_test_split are the same in all",
            how=_UPGRADES,
            cpu=ZEN_3,
            date=DAY,
        ),
        Measured(
            package="scikit-learn",
            versions=_RELEASES,
            operation="LogisticRegression (lbfgs), PCA, TruncatedSVD, LinearSVC, AdaBoost, "
            "GradientBoostingClassifier",
            factor="version",
            effect="differs",
            finding="other coefficients from 1.5.2 on; AdaBoost once more in 1.7.2",
            how=_UPGRADES,
            cpu=ZEN_3,
            date=DAY,
        ),
        Measured(
            package="scikit-learn",
            versions=_RELEASES,
            operation="HistGradientBoosting, MiniBatchKMeans, GaussianMixture, TSNE, ElasticNetCV",
            factor="version",
            effect="differs",
            finding="other results in 1.9.1 than in 1.7.2",
            how=_UPGRADES,
            cpu=ZEN_3,
            date=DAY,
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

"""Tiny trainings in scikit-learn: linear, boosted, bagged, and what decomposes and clusters."""

from __future__ import annotations

import os
import warnings
from typing import Any

import numpy as np
import scipy
import sklearn
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss

from .data import Data, classification, digests
from .determinism import SEED, in_force
from .record import Recorder

ROWS, COLUMNS, CLASSES = 2048, 64, 4
ROUNDS = 12
Array = Any


def linear(recorder: Recorder, x: Array, y: Array) -> None:
    """Fit logistic regression and ridge regression."""
    model = LogisticRegression(max_iter=40).fit(x, y)
    recorder.loss(model.n_iter_[0], log_loss(y, model.predict_proba(x)), "logistic regression")
    recorder.tensor("logistic regression: coefficients", model.coef_)
    ridge = Ridge(alpha=1.0).fit(x, y)
    recorder.tensor("ridge: coefficients", ridge.coef_)


def boosted(recorder: Recorder, x: Array, y: Array, seed: int) -> None:
    """Fit gradient boosting, telling the loss of every round."""
    model = HistGradientBoostingClassifier(
        max_iter=ROUNDS, early_stopping=False, random_state=seed, max_leaf_nodes=15
    ).fit(x, y)
    for step, chances in enumerate(model.staged_predict_proba(x), 1):
        recorder.loss(step, log_loss(y, chances), "gradient boosting")
    recorder.tensor("gradient boosting: probabilities", model.predict_proba(x))


def bagged(recorder: Recorder, x: Array, y: Array, seed: int) -> None:
    """Fit a forest; with one job, since summing its trees in parallel is a race."""
    model = RandomForestClassifier(n_estimators=12, max_depth=8, random_state=seed, n_jobs=1)
    model.fit(x, y)
    recorder.loss(0, log_loss(y, model.predict_proba(x)), "random forest")
    recorder.tensor("random forest: importances", model.feature_importances_)


def unsupervised(recorder: Recorder, x: Array, seed: int) -> None:
    """Decompose and cluster."""
    decomposed = PCA(n_components=8, svd_solver="full").fit(x)
    recorder.tensor("pca: variances", decomposed.explained_variance_)
    recorder.tensor("pca: components", decomposed.components_)
    clusters = KMeans(n_clusters=8, n_init=1, max_iter=25, random_state=seed).fit(x)
    recorder.loss(int(clusters.n_iter_), clusters.inertia_, "k-means")
    recorder.tensor("k-means: centres", clusters.cluster_centers_)


def main() -> None:
    """Run as ``python -m freezer_inside.sklearn_training``."""
    warnings.simplefilter("ignore", ConvergenceWarning)  # few iterations, on purpose
    seed = int(os.environ[SEED])
    recorder = Recorder("sklearn")
    for name, module in (("numpy", np), ("scikit-learn", sklearn), ("scipy", scipy)):
        recorder.version(name, module.__version__)
    for name, value in sorted(in_force().items()):
        recorder.setting(name, value)
    data: Data = classification(seed, ROWS, COLUMNS, CLASSES)
    for name, digest in digests(data):
        recorder.data(name, digest)
    x = np.array(data.features).reshape(ROWS, COLUMNS)
    y = np.array(data.labels)
    linear(recorder, x, y)
    boosted(recorder, x, y, seed)
    bagged(recorder, x, y, seed)
    unsupervised(recorder, x, seed)
    recorder.end()


if __name__ == "__main__":
    main()

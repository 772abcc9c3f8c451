"""Tiny trainings in scikit-learn: linear, boosted, bagged, neural, kernels, and unsupervised.

See ``trainer`` for the rules that they keep. Some are fitted to many rows or to a heavy-tailed
target, since little and tame data do not show what threads do: see ``large``. Forests predict with
one job, since with several they add trees in the order in which threads end; left out, an audit
shows it.
"""

from __future__ import annotations

import os
import warnings
from typing import Any, List, Tuple

import numpy as np
import scipy
import sklearn
from scipy import sparse
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, SGDClassifier
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC
from sklearn.utils import check_random_state

from .hyperparameters import read
from .large import heavy_tailed, many_rows
from .switches import left_out
from .trainer import Trainer, leave

CLASSES, ROUNDS, EPOCHS, FEW = 4, 12, 4, 400
MANY_ROWS, MANY_COLUMNS, TAIL_ROWS, TAIL_COLUMNS = 10_000, 60, 4096, 16
SWITCHES = ("one job for predictions",)
Array = Any


def chosen(trainer: Trainer, model: Any, name: str = "") -> Any:
    """Tell the hyperparameters of a model that are not as by default; return the model."""
    usual = read(type(model)())
    told = {key: value for key, value in read(model).items() if usual.get(key) != value}
    trainer.hyperparameters(told, name or type(model).__name__)
    return model


def linear(trainer: Trainer, x: Array, y: Array) -> None:
    """Fit logistic regression, ridge regression, and plain descent over sparse rows."""
    trainer.fed(x, "features of linear models")
    model = chosen(trainer, LogisticRegression(max_iter=40)).fit(x, y)
    trainer.recorder.loss(
        model.n_iter_[0], log_loss(y, model.predict_proba(x)), "logistic regression"
    )
    trainer.recorder.tensor("logistic regression: coefficients", model.coef_)
    trainer.recorder.tensor(
        "ridge: coefficients", chosen(trainer, Ridge(alpha=1.0)).fit(x, y).coef_
    )
    descent = SGDClassifier(loss="log_loss", random_state=trainer.seed, max_iter=EPOCHS, tol=None)
    chosen(trainer, descent).fit(sparse.csr_matrix(x), y)
    trainer.recorder.tensor("descent: coefficients", descent.coef_)


def boosted(trainer: Trainer, x: Array, y: Array) -> None:
    """Fit gradient boosting, telling loss and probabilities of every round."""
    trainer.fed(x, "features of gradient boosting")
    model = HistGradientBoostingClassifier(
        max_iter=ROUNDS, early_stopping=False, random_state=trainer.seed, max_leaf_nodes=15
    )
    chosen(trainer, model).fit(x, y)
    for step, chances in enumerate(model.staged_predict_proba(x), 1):
        trainer.loss(step, log_loss(y, chances), "gradient boosting")
        sampled = trainer.sampled(step)
        trainer.recorder.tensor("gradient boosting: probabilities", chances, step, sampled=sampled)
    trainer.ranges({"gradient boosting: probabilities": chances})


def bagged(trainer: Trainer, x: Array, y: Array) -> None:
    """Fit a forest."""
    trainer.fed(x, "features of the forest")
    model = RandomForestClassifier(12, max_depth=8, random_state=trainer.seed, n_jobs=jobs())
    chosen(trainer, model).fit(x, y)
    chances = [model.predict_proba(x) for _ in range(3)]
    trainer.recorder.loss(0, log_loss(y, chances[0]), "random forest")
    trainer.recorder.tensor("random forest: importances", model.feature_importances_)
    thresholds = np.concatenate([tree.tree_.threshold for tree in model.estimators_])
    trainer.recorder.tensor("random forest: thresholds", thresholds)
    trainer.race("random forest", chances)


def neural(trainer: Trainer, x: Array, y: Array) -> None:
    """Fit a network with Adam, telling loss and weights of every pass over the data."""
    trainer.fed(x, "features of the network")
    model = chosen(trainer, MLPClassifier((64,), batch_size=256, random_state=trainer.seed))
    for epoch in range(1, EPOCHS + 1):
        model.partial_fit(x / 4, y, classes=np.arange(CLASSES))
        trainer.loss(epoch, model.loss_, "network")
        for layer, weights in enumerate(model.coefs_):
            sampled = epoch in (1, EPOCHS)
            trainer.recorder.tensor(f"network: layer {layer}", weights, epoch, sampled=sampled)


def kernels(trainer: Trainer, x: Array, y: Array) -> None:
    """Fit a support vector machine to some of the rows."""
    trainer.fed(x, "features of support vectors")
    model = chosen(trainer, SVC(gamma=1 / 64)).fit(x[:FEW], y[:FEW])
    trainer.recorder.tensor("support vectors: coefficients", model.dual_coef_)
    trainer.recorder.tensor("support vectors: decisions", model.decision_function(x[FEW : 2 * FEW]))


def unsupervised(trainer: Trainer, x: Array) -> None:
    """Decompose, exactly and by random projection, and cluster."""
    trainer.fed(x, "features without labels")
    decomposed = chosen(trainer, PCA(n_components=8, svd_solver="full")).fit(x)
    trainer.recorder.tensor("pca: variances", decomposed.explained_variance_)
    trainer.recorder.tensor("pca: components", decomposed.components_)
    projected = PCA(n_components=8, svd_solver="randomized", random_state=trainer.seed)
    chosen(trainer, projected, "randomized PCA").fit(x)
    trainer.recorder.tensor("randomized pca: variances", projected.explained_variance_)
    clusters = KMeans(n_clusters=8, n_init=1, max_iter=25, random_state=trainer.seed)
    chosen(trainer, clusters).fit(x)
    trainer.recorder.loss(int(clusters.n_iter_), clusters.inertia_, "k-means")
    trainer.recorder.tensor("k-means: centres", clusters.cluster_centers_)
    trainer.recorder.tensor("k-means: labels", clusters.labels_.astype("<i4"))


def jobs() -> int:
    """Return the jobs of forests: one, or as many as threads where an audit leaves that out."""
    if f"sklearn: {SWITCHES[0]}" in left_out():
        return int(os.environ.get("OMP_NUM_THREADS", "1"))
    return 1


def heavy(trainer: Trainer) -> None:
    """Fit a forest to a heavy-tailed target: sums of its trees' values are rounded."""
    data = heavy_tailed(trainer, TAIL_ROWS, TAIL_COLUMNS)
    model = RandomForestRegressor(12, max_depth=8, random_state=trainer.seed, n_jobs=jobs())
    model = chosen(trainer, model, "heavy-tailed forest").fit(data.features, data.targets)
    predicted = [model.predict(data.features) for _ in range(3)]
    trainer.recorder.tensor("heavy-tailed forest: predictions", predicted[0])
    trainer.race("heavy-tailed forest", predicted)


def numerous(trainer: Trainer) -> None:
    """Fit linear models to so many rows that the BLAS shares them among threads."""
    x, labels, targets = many_rows(trainer, MANY_ROWS, MANY_COLUMNS, CLASSES)
    name = "many rows"
    logistic = chosen(trainer, LogisticRegression(max_iter=10), f"{name}: LogisticRegression")
    trainer.recorder.tensor(f"{name}: logistic regression", logistic.fit(x, labels).coef_)
    y = targets + labels  # no linear function of the features
    ridge = chosen(trainer, Ridge(), f"{name}: Ridge").fit(x, y)
    trainer.recorder.tensor(f"{name}: ridge", ridge.coef_)
    trainer.recorder.tensor(f"{name}: linear regression", LinearRegression().fit(x, y).coef_)
    decomposed = TruncatedSVD(8, random_state=trainer.seed)
    chosen(trainer, decomposed, f"{name}: TruncatedSVD").fit(x)
    trainer.recorder.tensor(f"{name}: singular values", decomposed.singular_values_)


def streams(seed: int) -> List[Tuple[str, Array]]:
    """Return what scikit-learn's generator draws."""
    generator = check_random_state(seed)
    return [
        ("check_random_state", generator.random_sample(4096)),
        ("check_random_state: normal", generator.standard_normal(4096)),
    ]


def main() -> None:
    """Run as ``python -m freezer_inside.sklearn_training``."""
    warnings.simplefilter("ignore", ConvergenceWarning)  # few iterations, on purpose
    trainer = Trainer("sklearn", ROUNDS)
    modules = {"numpy": np, "scikit-learn": sklearn, "scipy": scipy}
    trainer.begin({name: module.__version__ for name, module in modules.items()}, {})
    trainer.streams(streams(trainer.seed))
    data = trainer.data(CLASSES)
    rows = trainer.order()
    x = np.array(data.features).reshape(data.rows, data.columns)[rows]
    y = np.array(data.labels)[rows]
    linear(trainer, x, y)
    boosted(trainer, x, y)
    bagged(trainer, x, y)
    neural(trainer, x, y)
    kernels(trainer, x, y)
    unsupervised(trainer, x)
    heavy(trainer)
    numerous(trainer)
    trainer.end()


if __name__ == "__main__":
    main()
    leave()

"""scikit-learn: estimators, transformers and splitters."""

from typing import Any

import numpy as np
from sklearn import (
    cluster,
    datasets,
    decomposition,
    ensemble,
    linear_model,
    manifold,
    mixture,
    model_selection,
    neighbors,
    neural_network,
    preprocessing,
    svm,
    tree,
    utils,
)

from benchmarks.atlas.inside import operation

PACKAGE = "scikit-learn"
VERSIONS = ("1.9.1",)
WITH = ("numpy==2.4.6", "scipy==1.17.1")
OLDEST = "1.3.2"
STREAMS_WITH = ("numpy==1.26.4", "scipy==1.13.1")


def _data(rows: int = 6000, columns: int = 40) -> tuple[Any, Any]:
    generator = np.random.RandomState(3)
    x = generator.standard_normal((rows, columns))
    return x, x @ generator.standard_normal(columns) + generator.standard_normal(rows)


def _small() -> tuple[Any, Any, Any]:
    generator = np.random.RandomState(3)
    x = generator.standard_normal((600, 12))
    y = (x[:, 0] + x[:, 1] ** 2 + 0.5 * generator.standard_normal(600) > 1).astype(int)
    return x, y, generator.randint(0, 30, 600)


@operation(
    "RandomForestClassifier(n_jobs=...).predict_proba",
    factors=("process", "call", "threads"),
    data="6000 x 40, 10 trees",
)
def forest_classifier(seed: int, threads: int) -> Any:
    x, y = _data()
    model = ensemble.RandomForestClassifier(10, random_state=seed, n_jobs=threads)
    return model.fit(x, y > 0).predict_proba(x)


@operation(
    "RandomForestClassifier(max_depth=..., n_jobs=...).predict_proba",
    factors=("process", "call", "threads"),
    data="6000 x 40, 10 trees of depth 6",
    setting="n_jobs=1 for predict: model.set_params(n_jobs=1)",
    note="shares of impure leaves are rounded when they are added; those of pure leaves are not",
)
def shallow_classifier(seed: int, threads: int, setting: bool) -> Any:
    x, y = _data()
    model = ensemble.RandomForestClassifier(10, max_depth=6, random_state=seed, n_jobs=threads)
    return model.fit(x, y > 0).set_params(n_jobs=1 if setting else threads).predict_proba(x)


@operation(
    "RandomForestRegressor(n_jobs=...).predict",
    factors=("process", "call", "threads"),
    data="6000 x 40, 10 trees",
    setting="n_jobs=1 for predict: model.set_params(n_jobs=1)",
    note="trees are added up under a lock, in the order in which threads end",
)
def forest_regressor(seed: int, threads: int, setting: bool) -> Any:
    x, y = _data()
    model = ensemble.RandomForestRegressor(10, random_state=seed, n_jobs=threads).fit(x, y)
    return model.set_params(n_jobs=1 if setting else threads).predict(x)


@operation(
    "ExtraTreesRegressor(n_jobs=...).predict",
    factors=("process", "call", "threads"),
    data="6000 x 40, 10 trees",
    setting="n_jobs=1 for predict: model.set_params(n_jobs=1)",
    note="trees are added up under a lock, in the order in which threads end",
)
def extra_trees(seed: int, threads: int, setting: bool) -> Any:
    x, y = _data()
    model = ensemble.ExtraTreesRegressor(10, random_state=seed, n_jobs=threads).fit(x, y)
    return model.set_params(n_jobs=1 if setting else threads).predict(x + 0.1)


@operation(
    "HistGradientBoostingRegressor.fit with a heavy-tailed target",
    factors=("process", "threads"),
    data="6000 x 40, target exp(y), 30 iterations; predictions",
)
def hist_heavy() -> Any:
    x, y = _data()
    return (
        ensemble.HistGradientBoostingRegressor(max_iter=30, random_state=0)
        .fit(x, np.exp(y))
        .predict(x)
    )


@operation(
    "HistGradientBoostingClassifier.fit",
    factors=("process", "threads", "version"),
    data="6000 x 40, 20 iterations; predict_proba",
)
def hist_classifier() -> Any:
    x, y = _data()
    return (
        ensemble.HistGradientBoostingClassifier(max_iter=20, random_state=0)
        .fit(x, y > 0)
        .predict_proba(x)
    )


@operation(
    "KMeans.fit: cluster_centers_",
    factors=("process", "call", "threads"),
    data="6000 x 40, 8 clusters, n_init 5",
    setting="OMP_NUM_THREADS=1",
    variables={"OMP_NUM_THREADS": "1"},
    note="each thread sums the rows of its chunk; labels are the same",
)
def kmeans(seed: int) -> Any:
    return cluster.KMeans(8, n_init=5, random_state=seed).fit(_data()[0]).cluster_centers_


@operation(
    "KMeans.fit: labels_", factors=("threads", "version"), data="600 x 12, 6 clusters, n_init 10"
)
def kmeans_labels(seed: int) -> Any:
    return cluster.KMeans(6, n_init=10, random_state=seed).fit(_small()[0]).labels_.astype(int)


@operation(
    "MiniBatchKMeans.fit",
    factors=("process", "threads", "version"),
    data="6000 x 40, 8 clusters; centers",
)
def mini_batch(seed: int) -> Any:
    return cluster.MiniBatchKMeans(8, n_init=3, random_state=seed).fit(_data()[0]).cluster_centers_


@operation(
    "LogisticRegression(solver='lbfgs').fit",
    factors=("process", "threads", "blas threads"),
    data="20,000 x 60; coefficients",
)
def logistic() -> Any:
    x, y = _data(20_000, 60)
    return linear_model.LogisticRegression().fit(x, y > 0).coef_


@operation(
    "Ridge().fit", factors=("process", "threads", "blas threads"), data="20,000 x 60; coefficients"
)
def ridge() -> Any:
    return linear_model.Ridge().fit(*_data(20_000, 60)).coef_


@operation(
    "LinearRegression().fit",
    factors=("process", "threads", "blas threads"),
    data="20,000 x 60; coefficients",
)
def linear() -> Any:
    return linear_model.LinearRegression().fit(*_data(20_000, 60)).coef_


@operation(
    "PCA(svd_solver='randomized').fit",
    factors=("process", "threads", "blas threads"),
    data="20,000 x 60; components",
)
def pca(seed: int) -> Any:
    return (
        decomposition.PCA(5, svd_solver="randomized", random_state=seed)
        .fit(_data(20_000, 60)[0])
        .components_
    )


@operation(
    "TruncatedSVD().fit",
    factors=("process", "threads", "blas threads"),
    data="6000 x 60; components",
)
def truncated(seed: int) -> Any:
    return decomposition.TruncatedSVD(5, random_state=seed).fit(_data(6000, 60)[0]).components_


@operation(
    "MLPClassifier.fit",
    factors=("process", "threads", "blas threads"),
    data="3000 x 40, 100 hidden units, 5 epochs; first weights",
)
def mlp(seed: int) -> Any:
    x, y = _data(3000)
    return (
        neural_network.MLPClassifier((100,), random_state=seed, max_iter=5).fit(x, y > 0).coefs_[0]
    )


@operation(
    "GaussianMixture.fit",
    factors=("process", "threads", "blas threads"),
    data="6000 x 40, 4 components; means",
)
def gaussian_mixture(seed: int) -> Any:
    return mixture.GaussianMixture(4, random_state=seed, max_iter=8).fit(_data()[0]).means_


@operation(
    "TSNE(n_jobs=...).fit_transform",
    factors=("process", "threads"),
    data="400 x 40, 250 iterations",
)
def tsne(seed: int, threads: int) -> Any:
    return manifold.TSNE(
        random_state=seed, init="random", max_iter=250, n_jobs=threads
    ).fit_transform(_data(400)[0])


@operation(
    "SVC.fit", factors=("process", "blas threads", "version"), data="1000 x 40; decision_function"
)
def svc() -> Any:
    x, y = _data(1000)
    return svm.SVC(random_state=0).fit(x, y > 0).decision_function(x)


@operation(
    "KNeighborsClassifier(n_jobs=...).kneighbors",
    factors=("process", "threads"),
    data="6000 x 40; distances of 300",
)
def neighbours(threads: int) -> Any:
    x, y = _data()
    return neighbors.KNeighborsClassifier(n_jobs=threads).fit(x, y > 0).kneighbors(x[:300])[0]


@operation(
    "train_test_split(random_state=...)",
    factors=("process", "hash seed", "version"),
    data="600 rows",
)
def split(seed: int) -> Any:
    return model_selection.train_test_split(np.arange(600), random_state=seed)[0]


@operation(
    "train_test_split(stratify=..., random_state=...)",
    factors=("version",),
    data="600 rows, two classes",
)
def stratified(seed: int) -> Any:
    return model_selection.train_test_split(
        np.arange(600), stratify=_small()[1], random_state=seed
    )[0]


def _folds(splitter: Any) -> Any:
    return np.concatenate([test for _, test in splitter.split(*_small())])


@operation("KFold(shuffle=True, random_state=...)", factors=("version",), data="600 rows, 5 folds")
def k_fold(seed: int) -> Any:
    return _folds(model_selection.KFold(5, shuffle=True, random_state=seed))


@operation(
    "StratifiedKFold(shuffle=True, random_state=...)",
    factors=("version",),
    data="600 rows, 5 folds",
)
def stratified_k_fold(seed: int) -> Any:
    return _folds(model_selection.StratifiedKFold(5, shuffle=True, random_state=seed))


@operation(
    "StratifiedGroupKFold(shuffle=True, random_state=...)",
    factors=("version",),
    data="600 rows, 30 groups, 5 folds",
)
def stratified_group(seed: int) -> Any:
    return _folds(model_selection.StratifiedGroupKFold(5, shuffle=True, random_state=seed))


@operation("GroupKFold", factors=("version",), data="600 rows, 30 groups, 5 folds")
def group_k_fold() -> Any:
    return _folds(model_selection.GroupKFold(5))


@operation("ShuffleSplit(random_state=...)", factors=("version",), data="600 rows, 5 splits")
def shuffle_split(seed: int) -> Any:
    return _folds(model_selection.ShuffleSplit(5, random_state=seed))


@operation("GroupShuffleSplit(random_state=...)", factors=("version",), data="600 rows, 30 groups")
def group_shuffle(seed: int) -> Any:
    return _folds(model_selection.GroupShuffleSplit(5, random_state=seed))


@operation("sklearn.utils.shuffle(random_state=...)", factors=("version",), data="600 integers")
def shuffled(seed: int) -> Any:
    return utils.shuffle(np.arange(600), random_state=seed)


@operation("sklearn.utils.resample(random_state=...)", factors=("version",), data="600 integers")
def resampled(seed: int) -> Any:
    return utils.resample(np.arange(600), random_state=seed)


@operation("make_classification(random_state=...)", factors=("version",), data="200 rows")
def classification(seed: int) -> Any:
    return datasets.make_classification(200, random_state=seed)[0]


@operation("make_sparse_spd_matrix(random_state=...)", factors=("version",), data="10 x 10")
def sparse_spd(seed: int) -> Any:
    return datasets.make_sparse_spd_matrix(10, random_state=seed)


@operation(
    "RandomForestClassifier(random_state=...).fit",
    factors=("version",),
    data="600 x 12, 20 trees; predict_proba",
)
def forest(seed: int) -> Any:
    x, y, _ = _small()
    return (
        ensemble.RandomForestClassifier(20, random_state=seed)
        .fit(x, y)
        .predict_proba(x[::-1] + 0.1)
    )


@operation(
    "DecisionTreeClassifier(random_state=1).fit",
    factors=("version",),
    data="600 x 12; predict_proba",
)
def decision_tree() -> Any:
    x, y, _ = _small()
    return tree.DecisionTreeClassifier(random_state=0).fit(x, y).predict_proba(x[::-1] + 0.1)


@operation(
    "GradientBoostingClassifier(random_state=1).fit",
    factors=("version",),
    data="600 x 12; predict_proba",
)
def gradient_boosting() -> Any:
    x, y, _ = _small()
    return (
        ensemble.GradientBoostingClassifier(random_state=0, n_estimators=30)
        .fit(x, y)
        .predict_proba(x)
    )


@operation(
    "AdaBoostClassifier(random_state=1).fit", factors=("version",), data="600 x 12; predict_proba"
)
def ada_boost() -> Any:
    x, y, _ = _small()
    return ensemble.AdaBoostClassifier(random_state=0, n_estimators=20).fit(x, y).predict_proba(x)


@operation(
    "LogisticRegression(solver='lbfgs').fit, small",
    factors=("version",),
    data="600 x 12; coefficients",
)
def logistic_small() -> Any:
    x, y, _ = _small()
    return linear_model.LogisticRegression().fit(x, y).coef_


@operation(
    "SGDClassifier(random_state=...).fit", factors=("version",), data="600 x 12; coefficients"
)
def sgd(seed: int) -> Any:
    x, y, _ = _small()
    return linear_model.SGDClassifier(random_state=seed).fit(x, y).coef_


@operation("LinearSVC(random_state=1).fit", factors=("version",), data="600 x 12; coefficients")
def linear_svc() -> Any:
    x, y, _ = _small()
    return svm.LinearSVC(random_state=0).fit(x, y).coef_


@operation("PCA().fit", factors=("version",), data="600 x 12, 4 components")
def pca_small() -> Any:
    return decomposition.PCA(4).fit(_small()[0]).components_


@operation("PowerTransformer().fit_transform", factors=("version",), data="600 x 12")
def power() -> Any:
    return preprocessing.PowerTransformer().fit_transform(_small()[0])


@operation(
    "QuantileTransformer(random_state=1).fit_transform", factors=("version",), data="600 x 12"
)
def quantile() -> Any:
    return preprocessing.QuantileTransformer(n_quantiles=100, random_state=0).fit_transform(
        _small()[0]
    )


@operation("IsolationForest(random_state=...).fit", factors=("version",), data="600 x 12; scores")
def isolation(seed: int) -> Any:
    x = _small()[0]
    return ensemble.IsolationForest(30, random_state=seed).fit(x).score_samples(x)

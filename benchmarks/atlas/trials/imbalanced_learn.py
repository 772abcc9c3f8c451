"""imbalanced-learn: resampling of rare classes."""

from typing import Any

import numpy as np
from imblearn import combine, ensemble, over_sampling, under_sampling

from benchmarks.atlas.inside import operation

PACKAGE = "imbalanced-learn"
VERSIONS = ("0.14.2",)
WITH = ("numpy==2.4.6", "scipy==1.17.1", "scikit-learn==1.8.0")
OLDEST = "0.11.0"
STREAMS_WITH = ("numpy==1.26.4", "scipy==1.13.1", "scikit-learn==1.4.2")


def _data() -> tuple[Any, Any]:
    generator = np.random.RandomState(3)
    return generator.standard_normal((400, 5)), (generator.rand(400) < 0.15).astype(int)


def _resampled(sampler: Any) -> Any:
    return sampler.fit_resample(*_data())[0]


@operation(
    "SMOTE(random_state=...).fit_resample",
    factors=("process", "call", "version"),
    data="400 x 5",
)
def smote(seed: int) -> Any:
    return _resampled(over_sampling.SMOTE(random_state=seed))


@operation("ADASYN(random_state=...).fit_resample", factors=("process", "version"), data="400 x 5")
def adasyn(seed: int) -> Any:
    return _resampled(over_sampling.ADASYN(random_state=seed))


@operation("BorderlineSMOTE(random_state=...).fit_resample", factors=("version",), data="400 x 5")
def borderline(seed: int) -> Any:
    return _resampled(over_sampling.BorderlineSMOTE(random_state=seed))


@operation(
    "KMeansSMOTE(random_state=...).fit_resample",
    factors=("process", "threads", "version"),
    data="400 x 5",
)
def kmeans_smote(seed: int) -> Any:
    return _resampled(over_sampling.KMeansSMOTE(random_state=seed, cluster_balance_threshold=0.01))


@operation(
    "SMOTENC(random_state=...).fit_resample", factors=("version",), data="400 x 5, one category"
)
def smotenc(seed: int) -> Any:
    x, y = _data()
    x = np.c_[x[:, :4], x[:, 4] > 0]
    return over_sampling.SMOTENC([4], random_state=seed).fit_resample(x, y)[0]


@operation(
    "ClusterCentroids(random_state=...).fit_resample",
    factors=("process", "version"),
    data="400 x 5",
)
def centroids(seed: int) -> Any:
    return _resampled(under_sampling.ClusterCentroids(random_state=seed))


@operation(
    "RandomUnderSampler(random_state=...).fit_resample",
    factors=("process", "version"),
    data="400 x 5",
)
def under(seed: int) -> Any:
    return _resampled(under_sampling.RandomUnderSampler(random_state=seed))


@operation("SMOTETomek(random_state=...).fit_resample", factors=("version",), data="400 x 5")
def tomek(seed: int) -> Any:
    return _resampled(combine.SMOTETomek(random_state=seed))


@operation(
    "EasyEnsembleClassifier(random_state=...).fit",
    factors=("version",),
    data="400 x 5; predict_proba",
)
def easy(seed: int) -> Any:
    x, y = _data()
    return ensemble.EasyEnsembleClassifier(3, random_state=seed).fit(x, y).predict_proba(x)

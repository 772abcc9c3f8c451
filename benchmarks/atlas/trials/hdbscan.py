"""HDBSCAN: clustering by density."""

from typing import Any

import hdbscan
import numpy as np

from benchmarks.atlas.inside import operation

PACKAGE = "hdbscan"
VERSIONS = ("0.8.44",)
WITH = ("numpy==2.4.6", "scipy==1.17.1", "scikit-learn==1.9.1")


def _data() -> Any:
    generator = np.random.default_rng(3)
    return np.concatenate([generator.standard_normal((400, 8)) + 4 * n for n in range(4)])


@operation(
    "HDBSCAN(core_dist_n_jobs=...).fit: probabilities_",
    factors=("process", "call", "threads"),
    data="1600 x 8",
)
def probabilities(threads: int) -> Any:
    return (
        hdbscan.HDBSCAN(min_cluster_size=20, core_dist_n_jobs=threads).fit(_data()).probabilities_
    )


@operation(
    "HDBSCAN(algorithm='boruvka_kdtree').fit: labels_",
    factors=("process", "threads"),
    data="1600 x 8",
)
def labels(threads: int) -> Any:
    return (
        hdbscan.HDBSCAN(min_cluster_size=20, algorithm="boruvka_kdtree", core_dist_n_jobs=threads)
        .fit(_data())
        .labels_
    )


@operation(
    "HDBSCAN().fit: outlier_scores_", factors=("process", "call", "blas threads"), data="1600 x 8"
)
def outliers() -> Any:
    return hdbscan.HDBSCAN(min_cluster_size=20, core_dist_n_jobs=1).fit(_data()).outlier_scores_

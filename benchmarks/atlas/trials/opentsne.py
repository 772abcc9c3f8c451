"""openTSNE: embeddings for display."""

from typing import Any

import numpy as np
import openTSNE

from benchmarks.atlas.inside import operation

PACKAGE = "opentsne"
VERSIONS = ("1.0.4",)
WITH = ("numpy==2.4.6", "scipy==1.17.1", "scikit-learn==1.9.1")


def _data() -> Any:
    return np.random.default_rng(3).standard_normal((400, 20))


@operation(
    "TSNE(n_jobs=..., random_state=...).fit",
    factors=("process", "call", "threads"),
    data="400 x 20, 50 iterations, Barnes-Hut",
    setting="n_jobs=1",
)
def barnes_hut(seed: int, threads: int, setting: bool) -> Any:
    return np.asarray(
        openTSNE.TSNE(
            n_jobs=1 if setting else threads,
            random_state=seed,
            n_iter=50,
            early_exaggeration_iter=25,
            negative_gradient_method="bh",
            initialization="random",
            neighbors="exact",
        ).fit(_data())
    )


@operation(
    "TSNE(negative_gradient_method='fft', n_jobs=..., random_state=...).fit",
    factors=("process", "threads"),
    data="400 x 20, 50 iterations",
    setting="n_jobs=1",
)
def fft(seed: int, threads: int, setting: bool) -> Any:
    return np.asarray(
        openTSNE.TSNE(
            n_jobs=1 if setting else threads,
            random_state=seed,
            n_iter=50,
            early_exaggeration_iter=25,
            negative_gradient_method="fft",
            initialization="random",
            neighbors="exact",
        ).fit(_data())
    )

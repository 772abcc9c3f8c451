"""scikit-image: image processing."""

from typing import Any

import numpy as np
from skimage import filters, measure, restoration, segmentation, transform, util

from benchmarks.atlas.inside import operation

PACKAGE = "scikit-image"
VERSIONS = ("0.26.0",)
WITH = ("numpy==2.4.6", "scipy==1.17.1")
OLDEST = "0.22.0"
STREAMS_WITH = ("numpy==1.26.4", "scipy==1.13.1")


def _image() -> Any:
    return np.random.RandomState(3).rand(120, 120)


@operation(
    "skimage.util.random_noise(rng=...)",
    factors=("process", "version"),
    data="120 x 120, Gaussian noise",
)
def noise(seed: int) -> Any:
    return util.random_noise(_image(), rng=seed)


@operation(
    "skimage.segmentation.slic",
    factors=("process", "call", "version"),
    data="120 x 120, 50 segments",
)
def slic() -> Any:
    return segmentation.slic(_image(), n_segments=50, channel_axis=None).astype(int)


@operation("skimage.transform.resize", factors=("process", "version"), data="120 x 120 to 77 x 91")
def resized() -> Any:
    return transform.resize(_image(), (77, 91))


@operation(
    "skimage.restoration.denoise_tv_chambolle",
    factors=("process", "call", "version"),
    data="120 x 120",
)
def denoised() -> Any:
    return restoration.denoise_tv_chambolle(_image())


@operation(
    "skimage.measure.ransac(rng=...)",
    factors=("process", "version"),
    data="a line through 100 points",
)
def ransac(seed: int) -> Any:
    x = np.random.RandomState(3).standard_normal((100, 2))
    _, inliers = measure.ransac(
        x, measure.LineModelND, min_samples=2, residual_threshold=0.3, max_trials=20, rng=seed
    )
    return np.asarray(inliers)


@operation("skimage.filters.gaussian", factors=("process", "version"), data="120 x 120, sigma 2")
def blurred() -> Any:
    return filters.gaussian(_image(), 2)

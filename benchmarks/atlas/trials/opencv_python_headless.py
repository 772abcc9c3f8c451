"""OpenCV: image processing."""

from typing import Any

import cv2
import numpy as np

from benchmarks.atlas.inside import operation

PACKAGE = "opencv-python-headless"
VERSIONS = ("5.0.0.93",)
ALSO = ("opencv-python", "opencv-contrib-python", "opencv-contrib-python-headless")
WITH = ("numpy==2.4.6",)
OLDEST = "4.10.0.84"
STREAMS_WITH = ("numpy==2.2.6",)


def _image() -> Any:
    return (np.random.RandomState(3).rand(480, 640, 3) * 255).astype(np.uint8)


def _points() -> Any:
    return np.random.RandomState(3).standard_normal((20_000, 4)).astype(np.float32)


@operation(
    "cv2.resize(INTER_LINEAR)",
    factors=("process", "threads", "version"),
    data="640 x 480 to 333 x 217",
)
def resized(threads: int) -> Any:
    cv2.setNumThreads(threads)
    return cv2.resize(_image(), (333, 217))


@operation(
    "cv2.warpAffine", factors=("process", "threads", "version"), data="640 x 480, 20 degrees"
)
def rotated(threads: int) -> Any:
    cv2.setNumThreads(threads)
    return cv2.warpAffine(_image(), cv2.getRotationMatrix2D((320, 240), 20, 1), (640, 480))


@operation(
    "cv2.GaussianBlur of float32",
    factors=("process", "threads", "version"),
    data="640 x 480, 7 x 7",
)
def blurred(threads: int) -> Any:
    cv2.setNumThreads(threads)
    return cv2.GaussianBlur(_image().astype(np.float32), (7, 7), 1.5)


@operation(
    "cv2.kmeans(KMEANS_PP_CENTERS) after setRNGSeed",
    factors=("process", "call", "threads", "version"),
    data="20,000 x 4, 8 clusters; centers",
)
def kmeans(seed: int, threads: int) -> Any:
    cv2.setNumThreads(threads)
    cv2.setRNGSeed(seed)
    stop = (cv2.TERM_CRITERIA_MAX_ITER, 10, 0.0)
    return cv2.kmeans(_points(), 8, None, stop, 1, cv2.KMEANS_PP_CENTERS)[2]


@operation("cv2.cvtColor(BGR2HSV)", factors=("threads", "version"), data="640 x 480")
def hsv(threads: int) -> Any:
    cv2.setNumThreads(threads)
    return cv2.cvtColor(_image(), cv2.COLOR_BGR2HSV)


@operation(
    "cv2.randn after setRNGSeed", factors=("process", "call", "version"), data="100 x 100 float32"
)
def drawn(seed: int) -> Any:
    cv2.setRNGSeed(seed)
    return cv2.randn(np.zeros((100, 100), np.float32), 0, 1)

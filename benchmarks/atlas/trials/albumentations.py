"""Albumentations: augmentation of images."""

import random
from typing import Any

import albumentations as al
import cv2
import numpy as np

from benchmarks.atlas.inside import operation

PACKAGE = "albumentations"
VERSIONS = ("2.0.8",)
WITH = ("numpy==2.2.6", "opencv-python-headless==4.11.0.86")
OLDEST = "1.3.1"
STREAMS_WITH = ("numpy==1.26.4", "opencv-python-headless==4.11.0.86")


def _images(pipeline: Any) -> Any:
    image = (np.random.RandomState(3).rand(48, 48, 3) * 255).astype(np.uint8)
    return [np.ascontiguousarray(pipeline(image=image)["image"]) for _ in range(8)]


def _global(*transforms: Any) -> Any:
    random.seed(0)
    np.random.seed(0)
    return _images(al.Compose(list(transforms)))


@operation(
    "Compose([HorizontalFlip]) after random.seed and numpy.random.seed",
    factors=("process", "call", "version"),
    data="8 images of 48 x 48",
    setting="Compose(seed=...)",
    note="from 1.4 on the global seeds have no effect; each Compose draws a seed from the system",
)
def global_flip(setting: bool) -> Any:
    if setting:
        return _images(al.Compose([al.HorizontalFlip(p=0.5)], seed=0))
    return _global(al.HorizontalFlip(p=0.5))


@operation(
    "Compose([RandomCrop]) after random.seed and numpy.random.seed",
    factors=("process", "call"),
    data="8 images of 48 x 48",
    setting="Compose(seed=...)",
)
def global_crop(setting: bool) -> Any:
    if setting:
        return _images(al.Compose([al.RandomCrop(32, 32, p=1)], seed=0))
    return _global(al.RandomCrop(32, 32, p=1))


@operation(
    "Compose([HorizontalFlip, RandomCrop], seed=...)",
    factors=("process", "call", "version"),
    data="8 images of 48 x 48",
)
def flip_crop(seed: int) -> Any:
    return _images(al.Compose([al.HorizontalFlip(p=0.5), al.RandomCrop(32, 32, p=1)], seed=seed))


@operation(
    "Compose([RandomBrightnessContrast], seed=...)",
    factors=("process", "threads", "version"),
    data="8 images of 48 x 48",
)
def brightness(seed: int, threads: int) -> Any:
    cv2.setNumThreads(threads)
    return _images(al.Compose([al.RandomBrightnessContrast(p=1)], seed=seed))


@operation(
    "Compose([Rotate], seed=...)",
    factors=("process", "threads", "version"),
    data="8 images of 48 x 48",
)
def rotate(seed: int, threads: int) -> Any:
    cv2.setNumThreads(threads)
    return _images(al.Compose([al.Rotate(p=1)], seed=seed))


@operation(
    "Compose([GaussNoise], seed=...)", factors=("process", "version"), data="8 images of 48 x 48"
)
def noise(seed: int) -> Any:
    return _images(al.Compose([al.GaussNoise(p=1)], seed=seed))


@operation(
    "Compose([HueSaturationValue], seed=...)", factors=("version",), data="8 images of 48 x 48"
)
def hue(seed: int) -> Any:
    return _images(al.Compose([al.HueSaturationValue(p=1)], seed=seed))

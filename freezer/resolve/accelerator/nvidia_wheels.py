"""NVIDIA's own wheels: which packages they are, and how names and versions follow the CUDA.

Source: the metadata of ``cuda-toolkit`` on the Python package index, which names the wheels of
every CUDA release.
"""

from __future__ import annotations

import re
from typing import Final

_NVIDIA_CU = re.compile(r"nvidia-[a-z-]+-cu(?P<major>1[0-9])")
CUDNN_WHEEL: Final = re.compile(r"nvidia-cudnn(-cu\d+)?")
RUNTIME_WHEEL: Final = re.compile(r"nvidia-cuda-runtime(-cu\d+)?")

NUMBERED_AS_CUDA: Final = (
    "nvidia-cuda-cupti",
    "nvidia-cuda-nvcc",
    "nvidia-cuda-nvrtc",
    "nvidia-cuda-runtime",
    "nvidia-nvjitlink",
)
"""Wheels whose major and minor number are the toolkit's in every release. Before CUDA 13 their
names end in ``-cu11`` and ``-cu12``."""


def wheel_major(name: str) -> int | None:
    """Return the CUDA major version in the name of one of NVIDIA's wheels, if it has one."""
    match = _NVIDIA_CU.fullmatch(name)
    return int(match["major"]) if match else None


def wheel_name(stem: str, cuda: str) -> str:
    """Return what one of NVIDIA's wheels is called for a CUDA: suffixed before CUDA 13."""
    major = int(cuda.split(".", maxsplit=1)[0])
    return stem if major >= 13 else f"{stem}-cu{major}"


def starts_with(version: str, asked: str) -> bool:
    """Say whether a version is within what was asked for: ``9.10.2.21`` is within ``9.10``."""
    return version == asked or version.startswith(f"{asked}.")

"""NVIDIA's wheels: their names and versions for each CUDA release.

Source: the metadata of ``cuda-toolkit`` on the Python package index, which lists the wheels of
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
    """Return the CUDA major version in the name of an NVIDIA wheel, if it has one."""
    match = _NVIDIA_CU.fullmatch(name)
    return int(match["major"]) if match else None


def wheel_name(stem: str, cuda: str) -> str:
    """Return the name of an NVIDIA wheel for a CUDA release: suffixed before CUDA 13."""
    major = int(cuda.split(".", maxsplit=1)[0])
    return stem if major >= 13 else f"{stem}-cu{major}"


def starts_with(version: str, prefix: str) -> bool:
    """Return whether a version starts with another: ``9.10.2.21`` with ``9.10``."""
    return version == prefix or version.startswith(f"{prefix}.")

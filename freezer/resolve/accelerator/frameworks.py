"""Which CUDA and cuDNN the releases of frameworks carry, and which packages are NVIDIA's parts.

Sources: the ``Requires-Dist`` of torch's wheels on the public index (x86-64, CPython), release by
release, and PyTorch's ``.github/scripts/generate_binary_build_matrix.py``; the metadata of
``cuda-toolkit``, which names the wheels of every CUDA release; JAX's and TensorFlow's installation
guides for their extras.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from packaging.version import Version

from freezer.model.cuda import toolkit_of


@dataclass(frozen=True)
class TorchRelease:
    """What the default wheels of a minor release of torch are built for."""

    series: str
    cuda: str
    cudnn: str


TORCH: Final = (
    TorchRelease("1.13", "11.7", "8.5.0.96"),
    TorchRelease("2.0", "11.7", "8.5.0.96"),
    TorchRelease("2.1", "12.1", "8.9.2.26"),
    TorchRelease("2.2", "12.1", "8.9.2.26"),
    TorchRelease("2.3", "12.1", "8.9.2.26"),
    TorchRelease("2.4", "12.1", "9.1.0.70"),
    TorchRelease("2.5", "12.4", "9.1.0.70"),
    TorchRelease("2.6", "12.4", "9.1.0.70"),
    TorchRelease("2.7", "12.6", "9.5.1.17"),
    TorchRelease("2.8", "12.8", "9.10.2.21"),
    TorchRelease("2.9", "12.8", "9.10.2.21"),
    TorchRelease("2.10", "12.8", "9.10.2.21"),
    TorchRelease("2.11", "13.0", "9.19.0.56"),
    TorchRelease("2.12", "13.0", "9.20.0.48"),
    TorchRelease("2.13", "13.0", "9.20.0.48"),
    TorchRelease("2.14", "13.0", "9.24.0.43"),
    TorchRelease("2.15", "13.2", "9.26.0.51"),
)
"""Oldest first; wheels without a local version, as the public index has them."""

_LOCAL_CUDA = re.compile(r"cu(?P<major>1[0-9])(?P<minor>[0-9])")
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


def release_of(version: str) -> TorchRelease | None:
    """Return what the table knows of a torch version; None for one that is not in it."""
    parsed = Version(version)
    series = f"{parsed.major}.{parsed.minor}"
    return next((item for item in TORCH if item.series == series), None)


def cuda_of_torch(version: str) -> str | None:
    """Return the CUDA of a torch wheel: ``12.8``, ``cpu``, or None where that is not known.

    A local version decides (``2.8.0+cu128``, ``2.8.0+cpu``); without one, the table.
    """
    local = Version(version).local
    if local is not None:
        match = _LOCAL_CUDA.match(local)
        return f"{match['major']}.{match['minor']}" if match else "cpu"
    release = release_of(version)
    return release.cuda if release else None


def is_younger_than_table(version: str) -> bool:
    """Say whether a torch is younger than this table, so that nobody here knows its CUDA."""
    parsed = Version(version)
    return parsed.local is None and parsed >= Version(_next(TORCH[-1].series))


def torch_series(cuda: str) -> tuple[str, ...]:
    """Return the minor releases of torch whose default wheels carry a CUDA, oldest first."""
    return tuple(item.series for item in TORCH if item.cuda == toolkit_of(cuda))


def torch_range(cuda: str) -> str | None:
    """Return the specifier of those releases, such as ``>=2.8,<2.11``; None when there is none.

    The series that carry one CUDA follow one another.
    """
    series = torch_series(cuda)
    if not series:
        return None
    names = [item.series for item in TORCH]
    after = names[names.index(series[-1]) + 1 :]
    return f">={series[0]}" + (f",<{after[0]}" if after else f",<{_next(series[-1])}")


def _next(series: str) -> str:
    major, minor = series.split(".")
    return f"{major}.{int(minor) + 1}"


def local_tag(cuda: str) -> str:
    """Return the local version that PyTorch's own indexes use: ``cu124``."""
    return "cu" + toolkit_of(cuda).replace(".", "")


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

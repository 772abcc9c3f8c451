"""CUDA and cuDNN of torch wheels by version, from the framework description of torch."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.version import Version

from freezer.frameworks import frameworks
from freezer.model.cuda import toolkit_of

if TYPE_CHECKING:
    from freezer.frameworks.description import WheelSeries


_LOCAL_CUDA = re.compile(r"cu(?P<major>1[0-9])(?P<minor>[0-9])")


def torch_wheels() -> tuple[WheelSeries, ...]:
    """Return the wheel series of torch's minor releases, oldest first."""
    gpu = frameworks()["torch"].gpu
    return gpu.wheels if gpu else ()


def release_of(version: str) -> WheelSeries | None:
    """Return the wheel series of a torch version; None when it is not in the table."""
    parsed = Version(version)
    series = f"{parsed.major}.{parsed.minor}"
    return next((item for item in torch_wheels() if item.series == series), None)


def cuda_of_torch(version: str) -> str | None:
    """Return the CUDA of a torch wheel: ``12.8``, ``cpu``, or None when unknown.

    A local version decides (``2.8.0+cu128``, ``2.8.0+cpu``); without one, the table.
    """
    local = Version(version).local
    if local is not None:
        match = _LOCAL_CUDA.match(local)
        return f"{match['major']}.{match['minor']}" if match else "cpu"
    release = release_of(version)
    return release.cuda if release else None


def is_newer_than_table(version: str) -> bool:
    """Return whether a torch version is newer than the table, so its CUDA is unknown."""
    parsed = Version(version)
    return parsed.local is None and parsed >= Version(_next(torch_wheels()[-1].series))


def torch_series(cuda: str) -> tuple[str, ...]:
    """Return the minor releases of torch whose default wheels have a CUDA, oldest first."""
    return tuple(item.series for item in torch_wheels() if item.cuda == toolkit_of(cuda))


def torch_range(cuda: str) -> str | None:
    """Return the specifier of those releases, such as ``>=2.8,<2.11``; None without any.

    The series of one CUDA are consecutive.
    """
    series = torch_series(cuda)
    if not series:
        return None
    names = [item.series for item in torch_wheels()]
    after = names[names.index(series[-1]) + 1 :]
    return f">={series[0]}" + (f",<{after[0]}" if after else f",<{_next(series[-1])}")


def _next(series: str) -> str:
    major, minor = series.split(".")
    return f"{major}.{int(minor) + 1}"


def local_tag(cuda: str) -> str:
    """Return the local version that PyTorch's own indexes use: ``cu124``."""
    return "cu" + toolkit_of(cuda).replace(".", "")

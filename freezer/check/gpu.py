"""Checks whether a host's NVIDIA driver supports the CUDA of a lock, before any run.

The driver is queried through NVML, and if that fails through ``nvidia-smi``. A host without both
has no NVIDIA driver, or hides it; it is accepted, as a smoke training may run on the CPU there.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from freezer.errors import HostError
from freezer.inside.freezer_inside import nvml
from freezer.inside.freezer_inside.nvml import Gpu
from freezer.model.cuda import (
    capability_supported,
    cudnn_driver,
    driver_carries,
    number,
    toolkits_for,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from freezer.model.lock import Accelerator

NVML: Final = (sys.executable, "-I", "-S", nvml.__file__)
SMI: Final = (
    "nvidia-smi",
    "--query-gpu=driver_version,compute_cap,name",
    "--format=csv,noheader",
)
_LONGEST: Final = 1000
"""Maximum characters of a line of output."""
_PATIENCE: Final = 30.0
"""Timeout in seconds; an idle driver takes some to start."""


def host_gpus(library: Sequence[str] = NVML, program: Sequence[str] = SMI) -> tuple[Gpu, ...]:
    """Return this host's GPUs, by NVML or else by ``nvidia-smi``; empty when both fail.

    Both run in a process of their own: a broken driver may crash its caller.
    """
    listing = _output(library)
    found = None if listing is None else parse_nvml(listing)
    if found is None:
        listed = _output(program)
        found = [] if listed is None else parse_smi(listed)
    return tuple(found)


def _output(command: Sequence[str]) -> str | None:
    """Return a program's output; None when it is missing, fails, or hangs."""
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def parse_nvml(text: str) -> list[Gpu] | None:
    """Parse the output of the ``nvml`` helper; None when it is unusable."""
    try:
        document = json.loads(text)
        found = [Gpu(**{key: str(value) for key, value in one.items()}) for one in document]
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    return found if all(_is_version(gpu.driver) for gpu in found) else None


def parse_smi(text: str) -> list[Gpu]:
    """Parse the output of ``nvidia-smi``; other lines (errors, warnings) are skipped."""
    found = []
    for line in text.splitlines():
        row = next(csv.reader([line[:_LONGEST]], skipinitialspace=True), [])
        if len(row) < 3 or not _is_version(row[0]):
            continue
        capability = row[1].strip() if _is_version(row[1]) else ""
        found.append(Gpu(row[0].strip(), capability, ", ".join(row[2:]).strip()))
    return found


def require_driver(accelerator: Accelerator, gpus: Sequence[Gpu]) -> tuple[str, ...]:
    """Check that driver and GPUs support the locked CUDA; return warnings.

    Raises ``HostError`` for a driver that is too old, with one that is sufficient, and for a GPU
    that the CUDA release does not support.
    """
    if not gpus:
        return (
            "this host has no visible NVIDIA driver: the lock's GPU packages are not exercised",
        )
    for gpu in gpus:
        _require(gpu, accelerator)
    warnings = [warning for gpu in gpus for warning in _warnings(gpu, accelerator)]
    return tuple(dict.fromkeys(warnings))


def _require(gpu: Gpu, accelerator: Accelerator) -> None:
    verdict = driver_carries(gpu.driver, accelerator.cuda)
    declared = (accelerator.driver or "0").removeprefix(">=")
    cudnn = accelerator.cudnn
    floor = cudnn_driver(cudnn, accelerator.cuda, gpu.capability or None) if cudnn else "0"
    least = max(declared, floor, key=number)
    if not verdict.runs:
        raise _refused(gpu, verdict.sentence, verdict.needed)
    if number(gpu.driver) < number(least):
        why = f"the lock requires at least {least}"
        raise _refused(gpu, f"driver {gpu.driver}: {why}", max(least, verdict.needed, key=number))
    if gpu.capability and not capability_supported(gpu.capability, accelerator.cuda):
        span = toolkits_for(gpu.capability)
        raise HostError(
            f"CUDA {accelerator.cuda} does not support this host's GPU",
            found=f"{gpu.name}, compute capability {gpu.capability}",
            expected=f"a CUDA from {span[0]} to {span[1]}" if span else None,
            hint="change accelerator.cuda and lock again, or check on a host with another GPU",
        )


def _refused(gpu: Gpu, sentence: str, needed: str) -> HostError:
    return HostError(
        "this host's driver is too old for the lock's CUDA",
        found=sentence,
        expected=f"driver {needed} or newer",
        hint=f"upgrade the driver of {gpu.name} to {needed} or newer, or check on another host",
    )


def _warnings(gpu: Gpu, accelerator: Accelerator) -> Iterator[str]:
    verdict = driver_carries(gpu.driver, accelerator.cuda)
    if not verdict.whole:
        yield verdict.sentence


def _is_version(text: str) -> bool:
    parts: Sequence[str] = text.strip().split(".")
    return all(part.isascii() and part.isdigit() for part in parts)

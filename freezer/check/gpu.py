"""Whether a host's NVIDIA driver supports the CUDA of a lock, checked before anything runs.

The driver is asked through its own library, NVML, and where that does not answer through
``nvidia-smi``, which comes with it. A host without both has no driver of NVIDIA's, or hides it;
what is known of such a host is nothing, and it is not refused: a smoke training may well run on the
CPU there.
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
"""Characters of a line of a listing that are read."""
_PATIENCE: Final = 30.0
"""Seconds; a driver that was not used for long takes some to start."""


def host_gpus(library: Sequence[str] = NVML, program: Sequence[str] = SMI) -> tuple[Gpu, ...]:
    """Return this host's GPUs, by NVML or else by ``nvidia-smi``; empty where neither answers.

    Both are asked in a process of their own: a driver in trouble may take its caller with it.
    """
    listing = _output(library)
    found = None if listing is None else parse_nvml(listing)
    if found is None:
        listed = _output(program)
        found = [] if listed is None else parse_smi(listed)
    return tuple(found)


def _output(command: Sequence[str]) -> str | None:
    """Return what a program prints; None where it is not there, fails, or does not answer."""
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
    """Return the GPUs of what ``nvml`` prints; None where that is no usable listing."""
    try:
        document = json.loads(text)
        found = [Gpu(**{key: str(value) for key, value in one.items()}) for one in document]
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    return found if all(_is_version(gpu.driver) for gpu in found) else None


def parse_smi(text: str) -> list[Gpu]:
    """Return the GPUs of a listing; lines that are none (errors, warnings) are passed over."""
    found = []
    for line in text.splitlines():
        row = next(csv.reader([line[:_LONGEST]], skipinitialspace=True), [])
        if len(row) < 3 or not _is_version(row[0]):
            continue
        capability = row[1].strip() if _is_version(row[1]) else ""
        found.append(Gpu(row[0].strip(), capability, ", ".join(row[2:]).strip()))
    return found


def require_driver(accelerator: Accelerator, gpus: Sequence[Gpu]) -> tuple[str, ...]:
    """Require a driver and GPUs that support what is locked; return warnings.

    Raises ``HostError`` for a driver that is too old, naming one that would do, and for a GPU that
    the CUDA does not know.
    """
    if not gpus:
        return ("this host shows no NVIDIA driver: what the lock has for GPUs is not exercised",)
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
            f"CUDA {accelerator.cuda} does not know this host's GPU",
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

"""Whether a host's NVIDIA driver carries the CUDA of a lock, said before anything is run.

The driver is asked through ``nvidia-smi``, which comes with it. A host without it has no driver of
NVIDIA's, or hides it; what is known of such a host is nothing, and it is not refused: a smoke
training may well run on the CPU there.
"""

from __future__ import annotations

import csv
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from freezer.errors import HostError
from freezer.model.cuda import (
    capability_supported,
    cudnn_driver,
    driver_carries,
    number,
    toolkits_for,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from freezer.model.lock import Accelerator

COMMAND: Final = (
    "nvidia-smi",
    "--query-gpu=driver_version,compute_cap,name",
    "--format=csv,noheader",
)
_PATIENCE: Final = 30.0
"""Seconds; a driver that was not used for long takes some to start."""


@dataclass(frozen=True)
class Gpu:
    """One GPU of a host."""

    driver: str
    capability: str
    """Such as ``9.0``; empty where an old driver does not tell."""
    name: str


def ask_driver() -> str | None:
    """Return what ``nvidia-smi`` prints; None where it is not there or does not answer."""
    try:
        done = subprocess.run(
            COMMAND,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def parse_gpus(text: str) -> list[Gpu]:
    """Return the GPUs of a listing; lines that are none (errors, warnings) are passed over."""
    found = []
    for row in csv.reader(text.splitlines(), skipinitialspace=True):
        if len(row) < 3 or not _is_version(row[0]):
            continue
        capability = row[1].strip() if _is_version(row[1]) else ""
        found.append(Gpu(row[0].strip(), capability, ", ".join(row[2:]).strip()))
    return found


def demand_driver(
    accelerator: Accelerator, ask: Callable[[], str | None] = ask_driver
) -> tuple[str, ...]:
    """Hold this host's driver and GPUs against what is locked; return warnings.

    Raises ``HostError`` for a driver that is too old, naming one that would do, and for a GPU that
    the CUDA does not know.
    """
    text = ask()
    gpus = parse_gpus(text) if text is not None else []
    if not gpus:
        return ("this host shows no NVIDIA driver: what the lock has for GPUs is not exercised",)
    for gpu in gpus:
        _demand(gpu, accelerator)
    warnings = [warning for gpu in gpus for warning in _warnings(gpu, accelerator)]
    return tuple(dict.fromkeys(warnings))


def _demand(gpu: Gpu, accelerator: Accelerator) -> None:
    verdict = driver_carries(gpu.driver, accelerator.cuda)
    declared = (accelerator.driver or "0").removeprefix(">=")
    cudnn = accelerator.cudnn
    floor = cudnn_driver(cudnn, accelerator.cuda, gpu.capability or None) if cudnn else "0"
    least = max(declared, floor, key=number)
    if not verdict.runs:
        raise _refused(gpu, verdict.sentence, verdict.needed)
    if number(gpu.driver) < number(least):
        why = f"the lock wants at least {least}"
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

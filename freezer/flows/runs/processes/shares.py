"""The CPUs and GPUs of each of several runs at once: no CPU and no GPU is in two of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Iterator

Positions = tuple[int, ...]
"""CPUs or GPUs, counted from 0 among those of the engine's host."""


def cpu_sets(available: int, jobs: int, each: int | None) -> list[Positions]:
    """Return the CPUs of each of the runs at once.

    ``each`` is how many CPUs a run gets; None divides all of them equally. Raises ``RunError``
    where there are too few.
    """
    count = each or max(1, available // jobs)
    if count * jobs > available:
        raise RunError(
            f"{jobs} runs at once need more CPUs than the engine has",
            found=f"{jobs} times {count} CPUs, of {available}",
            expected=f"--jobs {max(1, available // count)} at most",
            hint="lower --jobs, or `resources.cpus` in freeze.yaml",
        )
    return list(_ranges(jobs, count))


def gpu_sets(available: int, jobs: int) -> list[Positions]:
    """Return the GPUs of each of the runs at once, an equal share of all.

    Raises ``RunError`` where there are fewer GPUs than runs, and where there is none to be seen.
    """
    if not available:
        raise RunError(
            "the GPUs of this host cannot be counted, so runs at once cannot each get their own",
            found="neither the driver's library (NVML) nor nvidia-smi reports a GPU",
            expected="a host with NVIDIA's driver, on which the engine runs as well",
            hint="leave out --jobs, or give the runs no GPU (--no-gpus)",
        )
    if jobs > available:
        raise RunError(
            f"{jobs} runs at once need more GPUs than this host has",
            found=f"{available} GPU{'s' if available > 1 else ''}",
            expected=f"--jobs {available} at most",
            hint="lower --jobs, or give the runs no GPU (--no-gpus)",
        )
    return list(_ranges(jobs, available // jobs))


def _ranges(jobs: int, count: int) -> Iterator[Positions]:
    for start in range(0, jobs * count, count):
        yield tuple(range(start, start + count))

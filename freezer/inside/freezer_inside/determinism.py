"""Settings that make a training repeatable: one table, each row with its source.

The variables are part of every image. What can only be switched on inside a framework is left to
``seed_everything``, which a training calls once, before it makes anything.
"""

from __future__ import annotations

import os
from typing import Dict, NamedTuple, Tuple

SEED = "FREEZER_SEED"
"""Where a training finds its seed."""


class Setting(NamedTuple):
    """One environment variable: its value, what it does, and where that is documented."""

    name: str
    value: str
    why: str
    source: str


_FIXED: Tuple[Setting, ...] = (
    Setting(
        "PYTHONHASHSEED",
        "0",
        "the order of sets of strings is the same in every process",
        "https://docs.python.org/3/using/cmdline.html#envvar-PYTHONHASHSEED",
    ),
    Setting(
        "OMP_DYNAMIC",
        "FALSE",
        "OpenMP uses as many threads as it is told, whatever else runs",
        "https://www.openmp.org/spec-html/5.2/openmpse60.html",
    ),
    Setting(
        "MKL_DYNAMIC",
        "FALSE",
        "MKL uses as many threads as it is told",
        "https://www.intel.com/content/www/us/en/docs/onemkl/developer-guide-linux/2024-0/"
        "mkl-dynamic.html",
    ),
    Setting(
        "CUBLAS_WORKSPACE_CONFIG",
        ":4096:8",
        "cuBLAS gives the same bits on several streams",
        "https://docs.nvidia.com/cuda/cublas/index.html#results-reproducibility",
    ),
    Setting(
        "NVIDIA_TF32_OVERRIDE",
        "0",
        "no library rounds to TF32 on its own account",
        "https://developer.nvidia.com/blog/accelerating-ai-training-with-tf32-tensor-cores/",
    ),
)
_THREADS: Tuple[Tuple[str, str], ...] = (
    ("OMP_NUM_THREADS", "https://www.openmp.org/spec-html/5.2/openmpse59.html"),
    ("OPENBLAS_NUM_THREADS", "https://github.com/OpenMathLib/OpenBLAS#setting-the-number-of-threads-using-environment-variables"),
    ("MKL_NUM_THREADS", "https://www.intel.com/content/www/us/en/docs/onemkl/developer-guide-linux/2024-0/mkl-domain-num-threads.html"),
    ("BLIS_NUM_THREADS", "https://github.com/flame/blis/blob/master/docs/Multithreading.md"),
    ("NUMEXPR_NUM_THREADS", "https://numexpr.readthedocs.io/en/latest/user_guide.html#threadpool-configuration"),
)  # fmt: skip


def table(seed: int, threads: int) -> Tuple[Setting, ...]:
    """Return every setting for a seed and a number of threads."""
    why = "sums are split among threads, so their number decides how they round"
    counts = tuple(Setting(name, str(threads), why, source) for name, source in _THREADS)
    own = Setting(SEED, str(seed), "the seed that trainings take", "the spec's determinism.seed")
    return (*_FIXED, *counts, own)


def settings(seed: int, threads: int) -> Dict[str, str]:
    """Return the environment variables of an image by name."""
    return {setting.name: setting.value for setting in table(seed, threads)}


def in_force() -> Dict[str, str]:
    """Return those of the variables that this process really has."""
    names = sorted(setting.name for setting in table(0, 1))
    return {name: os.environ[name] for name in names if name in os.environ}

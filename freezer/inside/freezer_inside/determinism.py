"""Settings that make a training repeatable: one table, each row with its source.

The variables are part of every image. What can only be switched on inside a framework is in
``switches``; ``seed_everything`` does it, which a training calls once, before it makes anything.
"""

from __future__ import annotations

import os
from typing import Dict, NamedTuple, Tuple

SEED = "FREEZER_SEED"
"""Where a training finds its seed."""
NAME = "FREEZER_TRAINING"
"""Where it finds the name that its observations go by."""


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
        "TF_NUM_INTEROP_THREADS",
        "1",
        "TensorFlow runs one operation at a time, so that random ones draw in one order",
        "https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/common_runtime/"
        "process_util.cc",
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
    ("NPROC", "https://github.com/openxla/xla/blob/main/xla/pjrt/utils.cc"),
    ("TF_NUM_INTRAOP_THREADS", "https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/common_runtime/process_util.cc"),
    ("NUMEXPR_NUM_THREADS", "https://numexpr.readthedocs.io/en/latest/user_guide.html#threadpool-configuration"),
)  # fmt: skip
_NUMPY_BEYOND = "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR X86_V4"
"""NumPy's names of features beyond AVX2, old and new; one that it does not know it passes over."""
_PINNED_WHY = "the kernels that every CPU of this level has, instead of the best that this one has"
_PINNED: Tuple[Tuple[str, str, str], ...] = (
    ("OPENBLAS_CORETYPE", "Haswell", "https://github.com/OpenMathLib/OpenBLAS/blob/develop/README.md"),
    ("BLIS_ARCH_TYPE", "haswell", "https://github.com/flame/blis/blob/master/docs/HardwareSupport.md"),
    # MKL promises the same bits on CPUs of other makers for this mode alone.
    ("MKL_CBWR", "COMPATIBLE", "https://www.intel.com/content/www/us/en/docs/onemkl/developer-guide-linux/2024-0/reproducibility-conditions.html"),
    ("ONEDNN_MAX_CPU_ISA", "AVX2", "https://uxlfoundation.github.io/oneDNN/dev_guide_cpu_dispatcher_control.html"),
    ("ATEN_CPU_CAPABILITY", "avx2", "https://github.com/pytorch/pytorch/blob/main/aten/src/ATen/native/DispatchStub.cpp"),
    ("NPY_DISABLE_CPU_FEATURES", _NUMPY_BEYOND, "https://github.com/numpy/numpy/blob/main/numpy/_core/src/common/npy_cpu_features.h"),
    ("XLA_FLAGS", "--xla_cpu_max_isa=AVX2", "https://github.com/openxla/xla/blob/main/xla/xla.proto"),
)  # fmt: skip
NUMERICS = "FREEZER_NUMERICS"
"""Where a training finds how the kernels are chosen: ``native`` or ``portable``."""
PORTABLE_LEVEL = "x86-64-v3"
"""What portable kernels need of a CPU. One level lower costs a product four times its time in
OpenBLAS; this one costs little, and Intel has it since 2013, AMD since 2017."""
PORTABLE_KERNELS = frozenset(["haswell", "blis-haswell", "mkl-def"])
"""What a BLAS says that it runs when the settings are in force. What else decides: ``kernels``."""


def thread_counts(threads: int) -> Dict[str, str]:
    """Return the variables by which libraries are told a number of threads, by name."""
    return {name: str(threads) for name, _ in _THREADS}


def pinned() -> Dict[str, str]:
    """Return the variables that portable numerics add, by name."""
    return {name: value for name, value, _ in _PINNED}


def table(seed: int, threads: int, numerics: str = "native") -> Tuple[Setting, ...]:
    """Return every setting for a seed, a number of threads, and how the kernels are chosen."""
    why = "sums are split among threads, so their number decides how they round"
    counts = tuple(Setting(name, str(threads), why, source) for name, source in _THREADS)
    pinned = tuple(Setting(name, value, _PINNED_WHY, source) for name, value, source in _PINNED)
    own = (
        Setting(SEED, str(seed), "the seed that trainings take", "the spec's determinism.seed"),
        Setting(NUMERICS, numerics, "how kernels are chosen", "the spec's determinism.numerics"),
    )
    return (*_FIXED, *counts, *(pinned if numerics == "portable" else ()), *own)


def settings(seed: int, threads: int, numerics: str = "native") -> Dict[str, str]:
    """Return the environment variables of an image by name."""
    return {setting.name: setting.value for setting in table(seed, threads, numerics)}


def in_force() -> Dict[str, str]:
    """Return those of the variables that this process really has."""
    names = sorted(setting.name for setting in table(0, 1, "portable"))
    return {name: os.environ[name] for name in names if name in os.environ}

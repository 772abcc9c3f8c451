"""What an audit varies: one factor at a time, everything else as the lock has it.

Each factor is a set of environment variables. Where libraries choose their kernels by the CPU,
variables make them choose those of an older one:

- OpenBLAS: https://github.com/OpenMathLib/OpenBLAS#setting-the-number-of-threads-using-environment-variables
- NumPy: https://numpy.org/doc/stable/reference/simd/build-options.html#runtime-dispatch
- PyTorch: ``ATEN_CPU_CAPABILITY``, as aten/src/ATen/native/DispatchStub.cpp reads it
- oneDNN: https://uxlfoundation.github.io/oneDNN/dev_guide_cpu_dispatcher_control.html
- MKL: https://www.intel.com/content/www/us/en/docs/onemkl/developer-guide-linux/2024-0/
  instruction-set-specific-dispatch-on-intel-archs.html
- glibc: https://www.gnu.org/software/libc/manual/html_node/Hardware-Capability-Tunables.html
- malloc: ``mallopt(3)``
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from freezer.inside.freezer_inside.determinism import table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freezer.model.lock import Lock

RACE_THREADS: Final = 4
"""Three or more: with two, a + b = b + a hides in which order threads end."""
_AVX2: Final = {
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
}
_V2: Final = {
    "OPENBLAS_CORETYPE": "Nehalem",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR X86_V3",
    "ATEN_CPU_CAPABILITY": "default",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "MKL_CBWR": "COMPATIBLE",
    "XLA_FLAGS": "--xla_cpu_max_isa=SSE4_2",
}
_PINNED: Final = "use `numerics: portable`, or keep to hosts of one CPU family"
_SEEDED: Final = "seed it: `freezer_inside.seed_everything()` is called first"


@dataclass(frozen=True)
class Factor:
    """One thing that is varied."""

    name: str
    """Stable: a spec accepts a deviation by it."""
    title: str
    mitigation: str
    """What keeps it from mattering."""
    environment: Mapping[str, str] = field(default_factory=dict)
    against: str | None = None
    """The factor whose run this one is held against; None: the unchanged run."""
    fault: bool = False
    """Whether a difference means that the training does not repeat, on one host, by itself."""


def factors(lock: Lock) -> tuple[Factor, ...]:
    """Return what an audit of a lock varies, the most telling first.

    A variable that the image pins (portable numerics) is left alone: there it is the mitigation.
    """
    kernels = _kernels() if lock.target.architecture == "x86_64" else {}
    ordered = [
        Factor("again", "run again, nothing changed", _SEEDED, fault=True),
        kernels.get("cpu-avx2"),
        *_threads(lock),
        *_memory(),
        kernels.get("cpu-v2"),
        kernels.get("libm"),
        *_switches(lock),
    ]
    return tuple(item for item in ordered if item is not None and not _pinned(item, lock))


def _threads(lock: Lock) -> list[Factor]:
    own = lock.environment.get("OMP_NUM_THREADS", "")
    many = f"threads-{RACE_THREADS}"
    fixed = "the image fixes the number of threads; keep it the same everywhere"
    races = int(own) > 2 if own.isdigit() else True
    calm = "use at most two threads, or switch on what the library has against races"
    found = [
        Factor(many, f"{RACE_THREADS} threads", fixed, _number(RACE_THREADS)),
        Factor(
            "race",
            f"{RACE_THREADS} threads, once more",
            calm if races else f"the image has {own} thread{'s' if own != '1' else ''}; {calm}",
            _number(RACE_THREADS),
            against=many,
            fault=races,
        ),
    ]
    if own != "1":
        found.append(Factor("threads-1", "1 thread", fixed, _number(1)))
    return found


def _number(threads: int) -> dict[str, str]:
    settings = table(0, threads)
    return {item.name: item.value for item in settings if item.name.endswith("_NUM_THREADS")}


def _kernels() -> dict[str, Factor]:
    tunables = {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX2,-FMA,-FMA4"}
    found = (
        Factor("cpu-avx2", "CPU kernels of AVX2, without AVX-512", _PINNED, _AVX2),
        Factor("cpu-v2", "CPU kernels of x86-64-v2, without AVX", _PINNED, _V2),
        Factor("libm", "the C library without FMA", _PINNED, tunables),
    )
    return {item.name: item for item in found}


def _memory() -> list[Factor]:
    return [
        Factor(
            "memory",
            "other content and alignment of fresh memory",
            "something reads memory that it never wrote, or sums by address: find and mend it",
            {"MALLOC_PERTURB_": "173", "MALLOC_MMAP_THRESHOLD_": "65536"},
            fault=True,
        ),
        Factor(
            "hash-seed",
            "another hash seed of Python",
            "the image sets PYTHONHASHSEED=0; better, sort what comes out of sets",
            {"PYTHONHASHSEED": "4242"},
        ),
    ]


def _switches(lock: Lock) -> list[Factor]:
    """Return each fixed setting switched off; without a GPU those of CUDA change nothing."""
    off = {"OMP_DYNAMIC": "TRUE", "MKL_DYNAMIC": "TRUE"}
    if lock.accelerator is not None:
        off |= {"CUBLAS_WORKSPACE_CONFIG": "", "NVIDIA_TF32_OVERRIDE": ""}
    return [
        Factor(
            f"without-{name.lower().replace('_', '-')}",
            f"{name} {value or 'unset'}",
            f"the image sets {name}={lock.environment[name]}",
            {name: value},
        )
        for name, value in off.items()
        if lock.environment.get(name, value) != value
    ]


def _pinned(factor: Factor, lock: Lock) -> bool:
    """Say whether the image itself pins the kernels that a factor would vary."""
    kernels = (_V2.keys() | _AVX2.keys() | {"GLIBC_TUNABLES"}) & factor.environment.keys()
    return any(name in lock.environment for name in kernels)

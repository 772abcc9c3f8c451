"""What an audit varies: one factor at a time, everything else as the lock has it.

Each factor is a set of environment variables. Where libraries choose their kernels by the CPU,
variables make them choose those of an older one:

- those of ``numerics: portable``: ``freezer_inside.determinism``
- OpenBLAS: https://github.com/OpenMathLib/OpenBLAS#setting-the-number-of-threads-using-environment-variables
- NumPy, PyTorch and XLA: ``oldest_kernels`` in their descriptions (`freezer.frameworks`)
- oneDNN: https://uxlfoundation.github.io/oneDNN/dev_guide_cpu_dispatcher_control.html
- MKL: https://www.intel.com/content/www/us/en/docs/onemkl/developer-guide-linux/2024-0/
  instruction-set-specific-dispatch-on-intel-archs.html
- glibc: https://www.gnu.org/software/libc/manual/html_node/Hardware-Capability-Tunables.html
- malloc: ``mallopt(3)``
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from freezer.frameworks import frameworks
from freezer.inside.freezer_inside.determinism import pinned, thread_counts
from freezer.inside.freezer_inside.switches import WITHOUT
from freezer.inside.freezer_inside.trainer import WORKERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from freezer.frameworks.description import Framework
    from freezer.model.lock import Lock

RACE_THREADS: Final = 4
"""Three or more: with two, a + b = b + a hides the order in which threads end."""
_V2: Final = {
    "OPENBLAS_CORETYPE": "Nehalem",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "MKL_CBWR": "COMPATIBLE",
}
"""Settings for x86-64-v2 kernels of libraries that several frameworks share."""
_PINNED: Final = "use `numerics: portable`, or keep to hosts of one CPU family"
_SEEDED: Final = "seed it: `freezer_inside.seed_everything()` is called first"


@dataclass(frozen=True)
class Factor:
    """One factor to vary."""

    name: str
    """A stable identifier, by which a spec accepts a deviation."""
    title: str
    mitigation: str
    """How to avoid its effect."""
    environment: Mapping[str, str] = field(default_factory=dict)
    against: str | None = None
    """The factor to compare with; None: the unchanged run."""
    fault: bool = False
    """Whether a difference means that the training is not repeatable on one host."""
    only: tuple[str, ...] = ()
    """The trainings that it applies to; empty: all of them."""
    alone: bool = False
    """Whether a library asks how busy the machine is under it, so that nothing runs at its side."""
    costs: Literal["nothing", "as varied", "as locked", "unknown"] = "nothing"
    """The kind of the mitigation's cost: none; the time under the factor over that of the unchanged
    run, if the factor is the mitigation; the reverse, if it removes the mitigation; or unknown."""


def factors(lock: Lock) -> tuple[Factor, ...]:
    """Return the factors of a lock's audit, the most informative first.

    When the image pins the kernels (portable numerics), they are unpinned instead.
    """
    kernels = _kernels(lock)
    ordered = [
        Factor("again", "run again, nothing changed", _SEEDED, fault=True),
        *kernels[:1],
        *_threads(lock),
        *_framework_switches(lock),
        *_workers(lock),
        *_memory(),
        *kernels[1:],
        *_switches(lock),
    ]
    return tuple(ordered)


def _threads(lock: Lock) -> list[Factor]:
    own = lock.environment.get("OMP_NUM_THREADS", "")
    many = f"threads-{RACE_THREADS}"
    fixed = "the image fixes the number of threads; keep it the same everywhere"
    races = int(own) > 2 if own.isdigit() else True
    calm = "use at most two threads, or switch on what the library has against races"
    found = [
        Factor(many, f"{RACE_THREADS} threads", fixed, thread_counts(RACE_THREADS)),
        Factor(
            "race",
            f"{RACE_THREADS} threads, once more",
            calm if races else f"the image has {own} thread{'s' if own != '1' else ''}; {calm}",
            thread_counts(RACE_THREADS),
            against=many,
            fault=races,
        ),
    ]
    if own != "1":
        found.append(Factor("threads-1", "1 thread", fixed, thread_counts(1)))
    return found


def _kernels(lock: Lock) -> list[Factor]:
    """Return factors that select other kernels, that of all libraries first."""
    if lock.target.architecture != "x86_64":
        return []
    pins = {name: value for name, value in pinned().items() if lock.environment.get(name) == value}
    if len(pins) == len(pinned()):
        free = dict.fromkeys(pins, "")
        title, keep = "the best kernels of this CPU", "the image has `numerics: portable`"
        return [Factor("cpu-native", title, keep, free, costs="as locked")]
    tunables = {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX2,-FMA,-FMA4"}
    portable = "the kernels of `numerics: portable`"
    found = (
        Factor("cpu-portable", portable, _PINNED, pinned(), costs="as varied"),
        Factor("cpu-v2", "CPU kernels of x86-64-v2, without AVX", _PINNED, _v2(), costs="unknown"),
        Factor("libm", "the C library without FMA", _PINNED, tunables, costs="unknown"),
    )
    own = lock.environment.keys()  # variables of the spec itself are not varied
    return [item for item in found if not own & item.environment.keys()]


def _v2() -> dict[str, str]:
    """Return the variables that make all libraries use kernels of x86-64-v2."""
    own = (item.oldest_kernels for item in frameworks().values())
    return _V2 | {name: value for kernels in own for name, value in kernels.items()}


def _memory() -> list[Factor]:
    return [
        Factor(
            "memory",
            "other content and alignment of fresh memory",
            "something reads memory that it never wrote, or sums by address: find and fix it",
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


def _workers(lock: Lock) -> list[Factor]:
    only = tuple(name for name, item in _trained(lock).items() if item.loader_workers)
    keyed = "draw from `freezer_inside.augmentation`, which hangs on the sample alone"
    return [Factor("workers", "3 loader workers", keyed, {WORKERS: "3"}, only=only)] if only else []


def _framework_switches(lock: Lock) -> Iterator[Factor]:
    """Yield each switch of a framework at the framework's own default, where it matters."""
    for framework, item in _trained(lock).items():
        for switch in item.switches:
            if switch.gpu and lock.accelerator is None:
                continue
            title = f"{framework}: {switch.name}"
            yield Factor(
                f"without-{re.sub('[^a-z0-9]+', '-', title.lower())}",
                f"{title}, left out",
                f"{title} is switched on",
                {WITHOUT: title},
                only=(framework,),
                costs="as locked",
            )


def _trained(lock: Lock) -> dict[str, Framework]:
    """Return the frameworks of a lock's built-in trainings, by training."""
    return {name: item for name, item in frameworks().items() if name in lock.smoke.trainings}


def _switches(lock: Lock) -> list[Factor]:
    """Return each fixed setting switched off; those of CUDA only with a GPU."""
    off = {"OMP_DYNAMIC": "TRUE", "MKL_DYNAMIC": "TRUE"}
    if lock.accelerator is not None:
        off |= {"CUBLAS_WORKSPACE_CONFIG": "", "NVIDIA_TF32_OVERRIDE": ""}
    return [
        Factor(
            f"without-{name.lower().replace('_', '-')}",
            f"{name} {value or 'unset'}",
            f"the image sets {name}={lock.environment[name]}",
            {name: value},
            alone=name.endswith("_DYNAMIC"),
        )
        for name, value in off.items()
        if lock.environment.get(name, value) != value
    ]

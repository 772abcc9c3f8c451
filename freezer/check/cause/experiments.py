"""Experiments that find a cause: reruns with one factor as in the reference.

A difference between two hosts may or may not affect results. If restoring one factor restores the
reference's results, that is evidence; a list of differences is not. Pure: returns what to run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from freezer.check.compare.differences import is_arithmetic
from freezer.inside.freezer_inside.determinism import pinned, thread_counts
from freezer.model.record.verdict import Word

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from freezer.model.record.record import Host
    from freezer.model.record.verdict import Verdict

_COUNTS: Final = frozenset(thread_counts(1))
MOST: Final = 6
"""Maximum number of experiments: each is a full run."""
_OPENBLAS: Final = frozenset(
    {"Prescott", "Nehalem", "Sandybridge", "Haswell", "Zen", "SkylakeX", "Cooperlake",
     "Sapphirerapids", "Barcelona", "Bulldozer", "Piledriver", "Steamroller", "Excavator",
     "NEOVERSEN1", "NEOVERSEV1", "NEOVERSEN2", "ARMV8", "ARMV8SVE"}
)  # fmt: skip
"""Kernel families by the names that ``OPENBLAS_CORETYPE`` takes
(https://github.com/OpenMathLib/OpenBLAS/blob/develop/TargetList.txt)."""
_FEWER: Final = (
    ("avx2", "AVX2", {
        "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR X86_V3",
        "ATEN_CPU_CAPABILITY": "default",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "MKL_CBWR": "COMPATIBLE",
        "XLA_FLAGS": "--xla_cpu_max_isa=SSE4_2",
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX2,-FMA,-FMA4",
    }),
    ("avx512f", "AVX-512", {
        **{name: value for name, value in pinned().items() if name in (
            "NPY_DISABLE_CPU_FEATURES", "ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "XLA_FLAGS"
        )},
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F",
    }),
    ("", "the newest parts of AVX-512 and AMX", {
        "NPY_DISABLE_CPU_FEATURES": "AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR",
        "ONEDNN_MAX_CPU_ISA": "AVX512_CORE",
        "MKL_ENABLE_INSTRUCTIONS": "AVX512",
        "XLA_FLAGS": "--xla_cpu_max_isa=AVX512",
    }),
)  # fmt: skip
"""A CPU feature that the reference lacks, its description, and variables to disable it; the first
match counts. The variables: ``freezer.check.audit.factors``."""


@dataclass(frozen=True)
class Experiment:
    """One factor to restore, with the variables that restore it."""

    title: str
    """A title: ``OMP_NUM_THREADS=2, as in the reference``."""
    environment: Mapping[str, str]
    factors: tuple[str, ...] = ()
    """The restored factors, as named in `freezer.check.cause.table`; empty for several at once."""


@dataclass(frozen=True)
class ExperimentResult:
    """An experiment with the verdict against the reference."""

    experiment: Experiment
    verdict: Verdict

    @property
    def is_cause(self) -> bool:
        """Whether the experiment restored all results of the reference, bit for bit."""
        return self.verdict.word is Word.IDENTICAL


def experiments(expected: Host, found: Host) -> tuple[Experiment, ...]:
    """Return the experiments: one factor at a time and then all of them, at most `MOST`.

    Empty when the hosts differ in nothing that can be restored.
    """
    single = [
        *_settings(expected, found),
        *_kernels(expected, found),
        *_features(expected, found),
    ]
    if len(single) < 2:
        return tuple(single)
    every = {name: value for one in single for name, value in one.environment.items()}
    combined = Experiment("all of these, as in the reference", every)
    return (*single[: MOST - 1], combined)


def _settings(expected: Host, found: Host) -> Iterator[Experiment]:
    threads = {}
    for name in sorted(expected.settings.keys() | found.settings.keys()):
        before, now = expected.settings.get(name, ""), found.settings.get(name, "")
        if before == now or name.startswith("FREEZER_"):
            continue
        if name in _COUNTS:
            threads[name] = before
        else:
            label = f"{name}={before}" if before else f"{name} not set"
            title = f"{label}, as in the reference"
            yield Experiment(title, {name: before}, (name,))
    if threads:
        # The same number in several variables: each library reads its own.
        counts = " and ".join(sorted(set(threads.values()))) or "no number of"
        noun = "thread" if counts == "1" else "threads"
        yield Experiment(f"{counts} {noun}, as in the reference", threads, tuple(threads))


def _kernels(expected: Host, found: Host) -> Iterator[Experiment]:
    if expected.blas_kernels == found.blas_kernels:
        return
    by_name = {name.lower(): name for name in _OPENBLAS}
    for kernel in expected.blas_kernels:
        if (name := by_name.get(kernel.lower())) is not None:
            title = f"OpenBLAS's kernels for {name}, as in the reference"
            yield Experiment(title, {"OPENBLAS_CORETYPE": name}, ("BLAS kernels",))


def _features(expected: Host, found: Host) -> Iterator[Experiment]:
    """Yield a run without the CPU features for arithmetic that the reference's CPU lacks."""
    more = {name for name in {*found.flags} - {*expected.flags} if is_arithmetic(name)}
    if not more or found.level == found.level.removeprefix("x86-64"):
        return
    words, environment = next(
        (words, values) for flag, words, values in _FEWER if flag in more or not flag
    )
    free = {name: value for name, value in environment.items() if name not in found.settings}
    if free:
        title = f"kernels that do without {words}, as the reference's CPU must"
        yield Experiment(title, free, ("CPU features for arithmetic",))

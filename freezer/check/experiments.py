"""Finding a cause by experiment: the trainings again, with one thing as the reference had it.

What differs between two hosts may move the numbers, or may not. To put one thing back and see the
reference's numbers again is evidence; a list of differences is not. Pure: what is to be tried.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from freezer.model.verdict import Word

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from freezer.model.record import Host
    from freezer.model.verdict import Verdict

MOST: Final = 6
"""Experiments at most: each is a whole run."""
_OPENBLAS: Final = frozenset(
    {"Prescott", "Nehalem", "Sandybridge", "Haswell", "Zen", "SkylakeX", "Cooperlake",
     "Sapphirerapids", "Barcelona", "Bulldozer", "Piledriver", "Steamroller", "Excavator",
     "NEOVERSEN1", "NEOVERSEV1", "NEOVERSEN2", "ARMV8", "ARMV8SVE"}
)  # fmt: skip
"""Kernel families by the names that ``OPENBLAS_CORETYPE`` takes
(https://github.com/OpenMathLib/OpenBLAS/blob/develop/TargetList.txt)."""


@dataclass(frozen=True)
class Experiment:
    """One thing put back."""

    title: str
    """In words: ``OMP_NUM_THREADS=2, as in the reference``."""
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Tried:
    """An experiment, and the verdict on its numbers against the reference."""

    experiment: Experiment
    verdict: Verdict

    @property
    def is_cause(self) -> bool:
        """Whether what was put back brought every number back, to the bit."""
        return self.verdict.word is Word.IDENTICAL


def experiments(expected: Host, found: Host) -> tuple[Experiment, ...]:
    """Return what to put back, one thing at a time and then all of it, at most `MOST`.

    Empty where the two hosts do not differ in anything that can be put back.
    """
    single = [*_settings(expected, found), *_kernels(expected, found)]
    if len(single) < 2:
        return tuple(single)
    every = {name: value for one in single for name, value in one.environment.items()}
    together = Experiment("all of these, as in the reference", every)
    return (*single[: MOST - 1], together)


def _settings(expected: Host, found: Host) -> Iterator[Experiment]:
    threads = {}
    for name in sorted(expected.settings.keys() | found.settings.keys()):
        before, now = expected.settings.get(name, ""), found.settings.get(name, "")
        if before == now or name.startswith("FREEZER_"):
            continue
        if name.endswith("_NUM_THREADS"):
            threads[name] = before
        else:
            shown = f"{name}={before}" if before else f"{name} not set"
            yield Experiment(f"{shown}, as in the reference", {name: before})
    if threads:
        # One number in several variables: a library reads whichever is its own.
        counts = " and ".join(sorted(set(threads.values()))) or "no number of"
        noun = "thread" if counts == "1" else "threads"
        yield Experiment(f"{counts} {noun}, as in the reference", threads)


def _kernels(expected: Host, found: Host) -> Iterator[Experiment]:
    if expected.blas_kernels == found.blas_kernels:
        return
    by_name = {name.lower(): name for name in _OPENBLAS}
    for kernel in expected.blas_kernels:
        if (name := by_name.get(kernel.lower())) is not None:
            yield Experiment(
                f"OpenBLAS's kernels for {name}, as in the reference", {"OPENBLAS_CORETYPE": name}
            )

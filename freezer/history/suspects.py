"""Rates which changes are likely to affect results, and why. Pure.

The table is based on measurements on one host with AVX-512 for NumPy, scikit-learn, torch, JAX,
XGBoost and LightGBM (previous minor releases, other BLAS builds, thread counts, kernel families),
and on release notes. A minor release of scikit-learn changed weights by 1e-1, one of torch changed
no bit: levels are likelihoods, and only a check decides. Where it was measured that the same seed
gives other numbers in another version (`numbers`), a change goes before others of its level.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final, get_args

from freezer.frameworks import described
from freezer.frameworks.description import Likelihood
from freezer.history.numbers import changed_numbers
from freezer.model.base import Model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freezer.history.diff import Change, LockDiff

Level = Likelihood
LEVELS: Final[tuple[Level, ...]] = get_args(Likelihood)


class Suspect(Model):
    """A change that may affect results."""

    level: Level
    what: str
    why: str
    operations: tuple[str, ...] = ()
    """Those that are measured to give other numbers for the same seed."""


_COMPONENTS: Final[dict[str, tuple[Level, str]]] = {
    "blas": ("likely", "another build of a BLAS sums in another order"),
    "lapack": ("likely", "factorisations and eigenvalues come from it"),
    "openmp": ("possible", "it splits loops among threads, and with them sums"),
    "cuda": ("likely", "kernels on the GPU come with it"),
    "cudnn": ("likely", "convolutions on the GPU come from it, and it chooses algorithms"),
    "nccl": ("possible", "sums over several GPUs go through it"),
    "libc": ("possible", "its libm rounds exp, log and the like, and selects variants by CPU"),
    "libstdc++": ("unlikely", "at most its sorting and random distributions are used"),
    "compiler": ("unlikely", "it affects only code that is compiled in the image"),
    "python": ("unlikely", "its own random and float arithmetic are kept the same across releases"),
    "accelerator": ("likely", "kernels on the GPU come with it"),
}
_PACKAGES: Final[tuple[tuple[str, Level, str], ...]] = (
    (r"triton", "likely", "it compiles the kernels that run"),
    (r"mkl.*|libopenblas|openblas|libblas|liblapack|blis", "likely", "it does the linear algebra"),
    (r"nvidia-(cublas|cudnn|cusolver|cusparse|cufft|curand)\S*", "likely", "GPU kernels are in it"),
    (r"numexpr|bottleneck|pythran", "possible", "it computes array expressions"),
    (r"pandas|polars|pyarrow", "possible", "data passes through it: order, types, missing values"),
    (r"opencv\S*|pillow|torchvision|albumentations|librosa", "possible", "it prepares the data"),
    (r"transformers|tokenizers|datasets|timm|accelerate|lightning\S*|diffusers", "possible",
     "models, data order and defaults come from it"),
    (r"joblib|threadpoolctl|loky", "unlikely", "it starts the workers that compute"),
)  # fmt: skip
"""Pattern of a name, level, and reason, for packages without a framework description; the first
match counts. Those of frameworks are in ``changes`` in `freezer.frameworks`."""
_KERNELS: Final = (
    r"OPENBLAS_CORETYPE|ONEDNN_MAX_CPU_ISA|MKL_CBWR|MKL_ENABLE_INSTRUCTIONS|GLIBC_TUNABLES"
    r"|BLIS_ARCH_TYPE|FREEZER_NUMERICS"
)
_SETTINGS: Final[tuple[tuple[str, Level, str], ...]] = (
    (r"FREEZER_SEED", "certain", "the seed is another one"),
    (r"\w+_NUM_THREADS|NPROC", "likely", "sums are split among threads"),
    (_KERNELS, "likely", "it chooses the CPU kernels"),
    (r"CUBLAS_WORKSPACE_CONFIG|NVIDIA_TF32_OVERRIDE", "likely", "it decides how GPUs round"),
    (r"PYTHONHASHSEED", "possible", "the order of sets depends on it"),
    (r"OMP_\w+|MKL_\w+|KMP_\w+", "possible", "it decides how threads share work"),
)  # fmt: skip


def assess(diff: LockDiff) -> tuple[Suspect, ...]:
    """Return the changes that may affect results, the likeliest first, without duplicates."""
    found: dict[tuple[Level, str], Suspect] = {}
    for one in _suspects(diff):
        found.setdefault((one.level, one.what), one)  # a BLAS is usually the LAPACK as well
    return tuple(sorted(found.values(), key=_rank))


def _rank(one: Suspect) -> tuple[int, bool, str]:
    return LEVELS.index(one.level), not one.operations, one.what


def _suspects(diff: LockDiff) -> Iterator[Suspect]:
    for change in diff.platform:
        if change.name == "platform":
            yield Suspect(
                level="certain", what=_described(change), why="another architecture computes"
            )
    for change in diff.components:
        if (row := _COMPONENTS.get(change.ecosystem)) is not None:
            yield Suspect(level=row[0], what=_described(change), why=row[1])
    for change in diff.packages:
        yield from _of_package(change)
    for change in diff.settings:
        yield from _of_setting(change)
    for note in diff.notes:
        if note.startswith("Freezer's runtime"):
            yield Suspect(level="certain", what=note, why="other trainings cannot be compared")


@cache
def _packages() -> tuple[tuple[str, Level, str], ...]:
    """Return pattern, level and reason of every package that may affect results."""
    rows = (row for item in described() for row in item.changes)
    return (*((row.pattern, row.likelihood, row.why) for row in rows), *_PACKAGES)


@cache
def _variables() -> tuple[tuple[str, Level, str], ...]:
    """Return pattern, level and reason of every environment variable that may affect results."""
    rows = (row for item in described() for row in item.variables)
    return (*((row.pattern, row.likelihood, row.why) for row in rows), *_SETTINGS)


def _of_package(change: Change) -> Iterator[Suspect]:
    numbers = changed_numbers(change.ecosystem, change.name, change.before, change.after)
    if numbers is not None:
        yield Suspect(
            level="likely",
            what=_described(change),
            why=f"it changes the numbers of {numbers.listed}, as measured",
            operations=numbers.operations,
        )
        return
    for pattern, level, why in _packages():
        if re.fullmatch(pattern, change.name):
            lowered: Level = "possible" if change.kind == "rebuilt" else level
            yield Suspect(level=lowered, what=_described(change), why=why)
            return


def _of_setting(change: Change) -> Iterator[Suspect]:
    if change.ecosystem == "smoke":
        if change.name in ("trainings", "command", "files", "seed"):
            yield Suspect(level="certain", what=_described(change), why="another training is run")
        elif change.name == "cpus":
            yield Suspect(
                level="likely", what=_described(change), why="sums are split among threads"
            )
    if change.ecosystem == "steps":
        yield Suspect(
            level="likely", what=_described(change), why="a step may add what is computed with"
        )
    for pattern, level, why in _variables() if change.ecosystem == "setting" else ():
        if re.fullmatch(pattern, change.name):
            yield Suspect(level=level, what=_described(change), why=why)
            return


def _described(change: Change) -> str:
    before, after = change.before or "none", change.after or "none"
    return f"{change.name}: {before} to {after}"

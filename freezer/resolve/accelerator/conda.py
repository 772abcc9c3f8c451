"""`accelerator:` and `blas:` for conda: constraints on what is there, asking for nothing.

Channels offer CPU builds beside GPU builds, and a solver that finds no GPU build for a CUDA takes a
CPU build without a word. So a GPU build is demanded of every framework that has them, unless the
user names a build of it.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from freezer.errors import ResolveError, Where
from freezer.frameworks import gpus
from freezer.model.cuda import checked, cuda_of_driver, newer_than_known, number
from freezer.resolve.conda.solver.virtual_packages import virtual_packages as declared

if TYPE_CHECKING:
    from collections.abc import Iterable

    from freezer.model.lock import CondaPackage
    from freezer.model.spec.spec import AcceleratorSpec, Blas
    from freezer.resolve.conda.solver.interface import CondaRequirement, Subdir

SPEC_FILE: Final = "freeze.yaml"
_GPU_BUILD = re.compile(r"cuda|gpu")
_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_BLAS_PACKAGES: Final = ("libblas", "libcblas", "liblapack", "liblapacke")


@cache
def gpu_packages() -> tuple[str, ...]:
    """Return the conda packages that come in CPU and GPU builds, sorted."""
    return tuple(sorted(name for gpu in gpus() for name in gpu.conda))


@cache
def _cpu_packages() -> dict[str, str]:
    """Return the packages that are a CPU build by name, sorted, and what to ask for instead."""
    return dict(sorted(pair for gpu in gpus() for pair in gpu.conda_cpu.items()))


@cache
def gpu_parts() -> dict[str, tuple[str, ...]]:
    """Return package to those that its build decides: of a chosen CPU build they are CPU builds."""
    return {name: parts for gpu in gpus() for name, parts in gpu.conda_parts.items()}


def conda_constraints(
    accelerator: AcceleratorSpec | None, blas: Blas | None, asked: Iterable[CondaRequirement] = ()
) -> tuple[str, ...]:
    """Return the match specs that hold for packages which are there. Pure.

    ``asked`` are the user's own specs: a package whose build they name is left to them. Raises
    ``SpecError`` for a CUDA that there is not.
    """
    own = _chosen_builds(asked)
    found = [*_accelerator(accelerator), *_blas(blas)]
    if accelerator is not None:
        found += [f"{name} * *cuda*" for name in gpu_packages()]
        found += [f"{name} <0a0" for name in _cpu_packages() if name not in _plain_names(asked)]
    return tuple(text for text in found if name_of(text) not in own)


def _accelerator(accelerator: AcceleratorSpec | None) -> list[str]:
    if accelerator is None:
        return []
    found = [f"cuda-version {checked(accelerator.cuda)}.*"]
    if accelerator.cudnn is not None:
        found += [f"{name} {accelerator.cudnn}.*" for name in ("cudnn", "libcudnn")]
    return found


def _blas(blas: Blas | None) -> list[str]:
    """Return the builds of a BLAS. BLIS has no LAPACK of its own: that stays netlib's."""
    if blas is None:
        return []
    names = _BLAS_PACKAGES[:2] if blas == "blis" else _BLAS_PACKAGES
    return [f"{name} * *{blas}" for name in (*names, "blas")]


def virtual_packages(
    accelerator: AcceleratorSpec | None, glibc: str, subdir: Subdir
) -> dict[str, str]:
    """Return what to declare to the solver: the target, and the CUDA that its drivers have.

    ``__cuda`` is the CUDA that is asked for, or the newest that the declared driver floor carries
    where that is more. A floor below the toolkit's own driver runs it by minor-version
    compatibility, which a solver would refuse: that is warned of after solving. Nothing of this
    host is in it. Raises ``SpecError`` for a CUDA that there is not.
    """
    if accelerator is None:
        return declared(glibc, subdir)
    cuda = checked(accelerator.cuda)
    if accelerator.driver is not None and not newer_than_known(cuda):
        carried = cuda_of_driver(floor_of(accelerator))
        cuda = max(cuda, carried or cuda, key=number)
    return declared(glibc, subdir, cuda)


def floor_of(accelerator: AcceleratorSpec) -> str:
    """Return the declared driver floor as a version: ``550.54.14`` of ``>=550.54.14``."""
    return (accelerator.driver or "0").removeprefix(">=")


def require_gpu_builds(
    packages: Iterable[CondaPackage], asked: Iterable[CondaRequirement] = ()
) -> None:
    """Raise ``ResolveError`` for CPU builds that nobody asked for, naming what to ask for."""
    own = _chosen_builds(asked) | (_plain_names(asked) & _cpu_packages().keys())
    wrong = [item for item in packages if item.name not in own and _is_cpu_build(item)]
    if not wrong:
        return
    wanted = sorted({_cpu_packages().get(item.name, f"{item.name}=*=*cuda*") for item in wrong})
    raise ResolveError(
        "the environment is to use a GPU, and these are CPU builds",
        where=Where(SPEC_FILE, key="accelerator"),
        details=[f"{item.name} {item.version} {item.build} ({item.channel})" for item in wrong],
        hint=f"ask for {', '.join(wanted)}; where a CPU build is wanted, name it: "
        f"{wrong[0].name}=*={wrong[0].build}",
    )


def _chosen_builds(asked: Iterable[CondaRequirement]) -> set[str]:
    """Return the packages whose build the user names, or decides by naming another one's."""
    named = {name_of(item.text) for item in asked if names_a_build(item.text)}
    return named | {part for name in named for part in gpu_parts().get(name, ())}


def _is_cpu_build(package: CondaPackage) -> bool:
    if package.name in _cpu_packages():
        return True
    return package.name in gpu_packages() and not _GPU_BUILD.search(package.build)


def name_of(spec: str) -> str:
    """Return the package that a match spec is of, in lower case."""
    match = _NAME.match(spec.rpartition("::")[2].strip())
    return match[0].lower() if match else ""


def names_a_build(spec: str) -> bool:
    """Say whether a match spec names a build: ``pytorch=*=cpu*``, ``pytorch 2.8 cpu_*``."""
    head, _, brackets = spec.rpartition("::")[2].strip().partition("[")
    if re.search(r"\bbuild\s*=", brackets):
        return True
    words = head.split()
    if len(words) == 3:
        return words[2] != "*"
    match = re.fullmatch(r"[A-Za-z0-9_.-]+\s*=+[^=<>]*=(?P<build>[^=]+)", head.strip())
    return match is not None and match["build"].strip() != "*"


def _plain_names(asked: Iterable[CondaRequirement]) -> set[str]:
    return {name_of(item.text) for item in asked}

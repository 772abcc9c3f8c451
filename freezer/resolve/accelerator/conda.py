"""`accelerator:` and `blas:` for conda: constraints on packages, without requesting any.

Channels have CPU builds next to GPU builds, and a solver that finds no GPU build for a CUDA release
silently chooses a CPU build. So every framework that has GPU builds is constrained to one, unless
the user names a build of it.
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
    """Return the conda packages that have CPU and GPU builds, sorted."""
    return tuple(sorted(name for gpu in gpus() for name in gpu.conda))


@cache
def _cpu_packages() -> dict[str, str]:
    """Map each package that is a CPU build by name, sorted, to the one to request instead."""
    return dict(sorted(pair for gpu in gpus() for pair in gpu.conda_cpu.items()))


@cache
def gpu_parts() -> dict[str, tuple[str, ...]]:
    """Map packages to those whose build they decide: a CPU build of one implies the others'."""
    return {name: parts for gpu in gpus() for name, parts in gpu.conda_parts.items()}


def conda_constraints(
    accelerator: AcceleratorSpec | None,
    blas: Blas | None,
    requested: Iterable[CondaRequirement] = (),
) -> tuple[str, ...]:
    """Return match specs that constrain packages without requesting them. Pure.

    ``requested`` are the user's own specs: packages whose build they name are not constrained.
    Raises ``SpecError`` for an unknown CUDA release.
    """
    own = _chosen_builds(requested)
    found = [*_accelerator(accelerator), *_blas(blas)]
    if accelerator is not None:
        found += [f"{name} * *cuda*" for name in gpu_packages()]
        found += [f"{name} <0a0" for name in _cpu_packages() if name not in _plain_names(requested)]
    return tuple(text for text in found if name_of(text) not in own)


def _accelerator(accelerator: AcceleratorSpec | None) -> list[str]:
    if accelerator is None:
        return []
    found = [f"cuda-version {checked(accelerator.cuda)}.*"]
    if accelerator.cudnn is not None:
        found += [f"{name} {accelerator.cudnn}.*" for name in ("cudnn", "libcudnn")]
    return found


def _blas(blas: Blas | None) -> list[str]:
    """Return the builds of a BLAS. BLIS has no LAPACK of its own: netlib's is used."""
    if blas is None:
        return []
    names = _BLAS_PACKAGES[:2] if blas == "blis" else _BLAS_PACKAGES
    return [f"{name} * *{blas}" for name in (*names, "blas")]


def virtual_packages(
    accelerator: AcceleratorSpec | None, glibc: str, subdir: Subdir
) -> dict[str, str]:
    """Return the solver's virtual packages: the target, and the CUDA of its drivers.

    ``__cuda`` is the requested CUDA, or the newest that the declared minimum driver supports if
    that is newer. An older driver runs the toolkit by minor-version compatibility, which a solver
    would refuse: that is a warning after solving. Nothing of this host is used. Raises
    ``SpecError`` for an unknown CUDA release.
    """
    if accelerator is None:
        return declared(glibc, subdir)
    cuda = checked(accelerator.cuda)
    if accelerator.driver is not None and not newer_than_known(cuda):
        carried = cuda_of_driver(minimum_driver(accelerator))
        cuda = max(cuda, carried or cuda, key=number)
    return declared(glibc, subdir, cuda)


def minimum_driver(accelerator: AcceleratorSpec) -> str:
    """Return the declared minimum driver as a version: ``550.54.14`` of ``>=550.54.14``."""
    return (accelerator.driver or "0").removeprefix(">=")


def require_gpu_builds(
    packages: Iterable[CondaPackage], requested: Iterable[CondaRequirement] = ()
) -> None:
    """Raise ``ResolveError`` for CPU builds that were not requested, with a remedy."""
    own = _chosen_builds(requested) | (_plain_names(requested) & _cpu_packages().keys())
    wrong = [item for item in packages if item.name not in own and _is_cpu_build(item)]
    if not wrong:
        return
    wanted = sorted({_cpu_packages().get(item.name, f"{item.name}=*=*cuda*") for item in wrong})
    raise ResolveError(
        "the environment uses a GPU, but these are CPU builds",
        where=Where(SPEC_FILE, key="accelerator"),
        details=[f"{item.name} {item.version} {item.build} ({item.channel})" for item in wrong],
        hint=f"request {', '.join(wanted)}; where a CPU build is intended, name it: "
        f"{wrong[0].name}=*={wrong[0].build}",
    )


def _chosen_builds(requested: Iterable[CondaRequirement]) -> set[str]:
    """Return the packages whose build the user names, directly or by another's."""
    named = {name_of(item.text) for item in requested if names_a_build(item.text)}
    return named | {part for name in named for part in gpu_parts().get(name, ())}


def _is_cpu_build(package: CondaPackage) -> bool:
    if package.name in _cpu_packages():
        return True
    return package.name in gpu_packages() and not _GPU_BUILD.search(package.build)


def name_of(spec: str) -> str:
    """Return the package name of a match spec, in lower case."""
    match = _NAME.match(spec.rpartition("::")[2].strip())
    return match[0].lower() if match else ""


def names_a_build(spec: str) -> bool:
    """Return whether a match spec names a build: ``pytorch=*=cpu*``, ``pytorch 2.8 cpu_*``."""
    head, _, brackets = spec.rpartition("::")[2].strip().partition("[")
    if re.search(r"\bbuild\s*=", brackets):
        return True
    words = head.split()
    if len(words) == 3:
        return words[2] != "*"
    match = re.fullmatch(r"[A-Za-z0-9_.-]+\s*=+[^=<>]*=(?P<build>[^=]+)", head.strip())
    return match is not None and match["build"].strip() != "*"


def _plain_names(requested: Iterable[CondaRequirement]) -> set[str]:
    return {name_of(item.text) for item in requested}

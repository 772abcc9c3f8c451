"""Compares locked packages with `accelerator:`: CUDA, cuDNN, GPU builds and driver."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from packaging.version import Version

from freezer.errors import ResolveError, Where
from freezer.frameworks import by_package
from freezer.model.cuda import cudnn_driver, driver_carries, number, toolkit_of
from freezer.model.lock import Accelerator
from freezer.resolve.accelerator.conda import SPEC_FILE, minimum_driver
from freezer.resolve.accelerator.nvidia_wheels import (
    CUDNN_WHEEL,
    NUMBERED_AS_CUDA,
    RUNTIME_WHEEL,
    starts_with,
    wheel_major,
)
from freezer.resolve.accelerator.pip import names_a_cpu_torch
from freezer.resolve.accelerator.torch_wheels import cuda_of_torch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from freezer.model.lock import CondaPackage, PipPackage
    from freezer.model.spec.spec import AcceleratorSpec
    from freezer.resolve.python.interface import PipRequirement

_CONDA_CUDA: Final = ("cuda-version", "cudatoolkit")
_CONDA_CUDNN: Final = ("cudnn", "libcudnn")


def check_locked(
    pip: Sequence[PipPackage],
    conda: Sequence[CondaPackage],
    accelerator: AcceleratorSpec,
    requested: Sequence[PipRequirement] = (),
) -> tuple[str, ...]:
    """Compare locked packages with ``accelerator:``; return warnings, a sentence each. Pure.

    ``requested`` are the user's own pip requirements. Raises ``ResolveError`` when the lock has
    another CUDA or cuDNN than the spec, or a CPU build of a framework that was not requested as
    one.
    """
    require_gpu_wheels(pip, conda, requested)
    runtimes = list(_cuda(pip, conda))
    wrong = [
        f"{who} is CUDA {cuda}" for who, cuda in runtimes if toolkit_of(cuda) != accelerator.cuda
    ]
    if wrong:
        raise _mismatch("CUDA", accelerator.cuda, wrong, "accelerator.cuda")
    cudnns = list(_cudnn(pip, conda))
    if accelerator.cudnn is not None:
        other = [f"{w} {v}" for w, v in cudnns if not starts_with(v, accelerator.cudnn)]
        if other:
            raise _mismatch("cuDNN", accelerator.cudnn, other, "accelerator.cudnn")
    return (
        *_not_found(runtimes, cudnns, accelerator),
        *_mixed_releases(pip, accelerator),
        *_two_ecosystems(runtimes, cudnns),
        *_wheels_on_cpu(pip),
        *driver_warnings(accelerator, [version for _, version in cudnns]),
    )


def locked_accelerator(
    pip: Sequence[PipPackage], conda: Sequence[CondaPackage], accelerator: AcceleratorSpec
) -> Accelerator:
    """Return the lock's entry: CUDA, the locked cuDNN, the minimum driver."""
    cudnns = [version for _, version in _cudnn(pip, conda)]
    return Accelerator(
        cuda=accelerator.cuda,
        cudnn=max(cudnns, key=number) if cudnns else accelerator.cudnn,
        driver=accelerator.driver,
    )


def require_gpu_wheels(
    pip: Sequence[PipPackage],
    conda: Sequence[CondaPackage],
    requested: Sequence[PipRequirement] = (),
) -> None:
    """Raise ``ResolveError`` for wheels that would compute on the CPU, with a remedy.

    CPU builds that the user names (``torch==2.13.0+cpu``, ``xgboost-cpu``) are accepted.
    """
    chosen = {"torch"} if names_a_cpu_torch(requested) else set()
    found = [
        (item, replacement)
        for item in pip
        if item.name not in chosen and (replacement := _replacement(item, pip, conda))
    ]
    if found:
        raise ResolveError(
            "the environment uses a GPU, but these wheels compute on the CPU",
            where=Where(SPEC_FILE, key="accelerator"),
            details=[f"{item.name} {item.version} ({item.reason})" for item, _ in found],
            hint="request " + " and ".join(dict.fromkeys(replacement for _, replacement in found)),
        )


def _replacement(
    item: PipPackage, pip: Sequence[PipPackage], conda: Sequence[CondaPackage]
) -> str | None:
    """Return the requirement that should replace a wheel; None when it is fine."""
    if item.name == "torch":
        return None if _torch_has_cuda(item) else "torch from an index that has CUDA builds of it"
    framework = by_package(item.name)
    if framework is None or (gpu := framework.gpu) is None:
        return None
    if item.name in gpu.cpu_wheels:
        return None if item.requested else gpu.cpu_wheels[item.name]
    names = {package.name for package in pip} | {package.name for package in conda}
    for companion in gpu.companions:
        present = any(re.fullmatch(companion.needs, name) for name in names)
        if item.name == companion.package and not present:
            return companion.ask.format(major=_major(pip))
    return None


def _torch_has_cuda(item: PipPackage) -> bool:
    """Return whether a torch wheel is a CUDA build."""
    if Version(item.version).local is not None:
        return cuda_of_torch(item.version) != "cpu"
    return any(name == "cuda-toolkit" or name.startswith("nvidia-") for name in item.requires)


def _major(pip: Sequence[PipPackage]) -> int:
    majors = [wheel_major(item.name) for item in pip]
    return max((major for major in majors if major), default=12)


def _cuda(pip: Sequence[PipPackage], conda: Sequence[CondaPackage]) -> Iterator[tuple[str, str]]:
    for wheel in pip:
        if RUNTIME_WHEEL.fullmatch(wheel.name) or wheel.name == "cuda-toolkit":
            yield f"pip's {wheel.name} {wheel.version}", wheel.version
    for package in conda:
        if package.name in _CONDA_CUDA:
            yield f"conda's {package.name} {package.version}", package.version


def _cudnn(pip: Sequence[PipPackage], conda: Sequence[CondaPackage]) -> Iterator[tuple[str, str]]:
    for wheel in pip:
        if CUDNN_WHEEL.fullmatch(wheel.name):
            yield f"pip's {wheel.name}", wheel.version
    for package in conda:
        if package.name in _CONDA_CUDNN:
            yield f"conda's {package.name}", package.version


def _mismatch(what: str, requested: str, details: Sequence[str], key: str) -> ResolveError:
    return ResolveError(
        f"another {what} was resolved than the requested one",
        where=Where(SPEC_FILE, key=key),
        expected=f"{what} {requested}",
        details=details,
        hint=f"change {key}, or request a framework that is built for it; packages taken over from "
        "another lock keep their versions",
    )


def _not_found(
    runtimes: Sequence[tuple[str, str]],
    cudnns: Sequence[tuple[str, str]],
    accelerator: AcceleratorSpec,
) -> Iterator[str]:
    if not runtimes:
        yield (
            f"CUDA {accelerator.cuda} is requested, but no package contains its runtime: wheels "
            "that bundle it cannot be checked"
        )
    if accelerator.cudnn is not None and not cudnns:
        yield f"cuDNN {accelerator.cudnn} is requested, but no package contains it"


def _mixed_releases(pip: Sequence[PipPackage], accelerator: AcceleratorSpec) -> Iterator[str]:
    """Yield warnings of CUDA libraries from another release than the runtime."""
    for wheel in pip:
        stem = re.sub(r"-cu\d+$", "", wheel.name)
        numbered = stem in NUMBERED_AS_CUDA and not RUNTIME_WHEEL.fullmatch(wheel.name)
        if numbered and toolkit_of(wheel.version) != accelerator.cuda:
            found = f"{wheel.name} {wheel.version}"
            yield f"{found} is from another CUDA release than {accelerator.cuda}"


def _two_ecosystems(
    runtimes: Sequence[tuple[str, str]], cudnns: Sequence[tuple[str, str]]
) -> Iterator[str]:
    for what, found in (("CUDA runtimes", runtimes), ("cuDNNs", cudnns)):
        ecosystems = {who.partition("'")[0] for who, _ in found}
        versions = {version for _, version in found}
        if len(ecosystems) > 1 and (what == "CUDA runtimes" or len(versions) > 1):
            named = " and ".join(sorted(f"{who}" for who, _ in found))
            yield f"two {what}, {named}: which one a process loads depends on what it imports first"


def _wheels_on_cpu(pip: Sequence[PipPackage]) -> Iterator[str]:
    """Yield warnings of frameworks whose wheels have no CUDA build."""
    for wheel in pip:
        framework = by_package(wheel.name)
        gpu = framework.gpu if framework else None
        if gpu and wheel.name in gpu.wheels_on_cpu and wheel.file.endswith(".whl"):
            yield (
                f"{wheel.name} {wheel.version}: its wheels have no CUDA build and train on the CPU;"
                f" for CUDA, build it from source (`allow-sdist: [{wheel.name}]`) or use conda's"
            )


def driver_warnings(accelerator: AcceleratorSpec, cudnns: Sequence[str]) -> Iterator[str]:
    """Yield a warning for all that needs a newer driver than the declared minimum."""
    if accelerator.driver is None:
        return
    minimum = minimum_driver(accelerator)
    verdict = driver_carries(minimum, accelerator.cuda)
    if not verdict.whole:
        yield f"accelerator.driver {accelerator.driver} is too low: {verdict.sentence}"
    for cudnn in cudnns:
        needed = cudnn_driver(cudnn, accelerator.cuda)
        if verdict.runs and number(minimum) < number(needed):
            yield f"accelerator.driver {accelerator.driver} is too low for cuDNN {cudnn}: {needed}"

"""What was locked compared with `accelerator:`: the CUDA, the cuDNN, the builds and the driver."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from packaging.version import Version

from freezer.errors import ResolveError, Where
from freezer.frameworks import by_package
from freezer.model.cuda import cudnn_driver, driver_carries, number, toolkit_of
from freezer.model.lock import Accelerator
from freezer.resolve.accelerator.conda import SPEC_FILE, floor_of
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
    asked: Sequence[PipRequirement] = (),
) -> tuple[str, ...]:
    """Compare locked packages with what was asked for; return warnings, a sentence each. Pure.

    ``asked`` are the user's own requirements of pip. Raises ``ResolveError`` where the lock has
    another CUDA or cuDNN than the spec, or a CPU build of a framework that nobody asked for.
    """
    require_gpu_wheels(pip, conda, asked)
    brought = list(_cuda(pip, conda))
    wrong = [
        f"{who} is CUDA {cuda}" for who, cuda in brought if toolkit_of(cuda) != accelerator.cuda
    ]
    if wrong:
        raise _other("CUDA", accelerator.cuda, wrong, "accelerator.cuda")
    cudnns = list(_cudnn(pip, conda))
    if accelerator.cudnn is not None:
        other = [f"{w} {v}" for w, v in cudnns if not starts_with(v, accelerator.cudnn)]
        if other:
            raise _other("cuDNN", accelerator.cudnn, other, "accelerator.cudnn")
    return (
        *_nothing(brought, cudnns, accelerator),
        *_beside(pip, accelerator),
        *_two_ecosystems(brought, cudnns),
        *_wheels_on_cpu(pip),
        *driver_warnings(accelerator, [version for _, version in cudnns]),
    )


def locked_accelerator(
    pip: Sequence[PipPackage], conda: Sequence[CondaPackage], accelerator: AcceleratorSpec
) -> Accelerator:
    """Return what the lock keeps: the CUDA, the cuDNN that was locked, the driver floor."""
    cudnns = [version for _, version in _cudnn(pip, conda)]
    return Accelerator(
        cuda=accelerator.cuda,
        cudnn=max(cudnns, key=number) if cudnns else accelerator.cudnn,
        driver=accelerator.driver,
    )


def require_gpu_wheels(
    pip: Sequence[PipPackage], conda: Sequence[CondaPackage], asked: Sequence[PipRequirement] = ()
) -> None:
    """Raise ``ResolveError`` for wheels that would compute on the CPU, naming what to ask for.

    A package that the user names as a CPU build (``torch==2.13.0+cpu``, ``xgboost-cpu``) is theirs
    to choose.
    """
    chosen = {"torch"} if names_a_cpu_torch(asked) else set()
    found = [
        (item, wanted)
        for item in pip
        if item.name not in chosen and (wanted := _wanted_instead(item, pip, conda))
    ]
    if found:
        raise ResolveError(
            "the environment is to use a GPU, and these wheels compute on the CPU",
            where=Where(SPEC_FILE, key="accelerator"),
            details=[f"{item.name} {item.version} ({item.reason})" for item, _ in found],
            hint="ask for " + " and ".join(dict.fromkeys(wanted for _, wanted in found)),
        )


def _wanted_instead(
    item: PipPackage, pip: Sequence[PipPackage], conda: Sequence[CondaPackage]
) -> str | None:
    """Return what to ask for instead of a wheel; None when it is fine."""
    if item.name == "torch":
        return None if _torch_has_cuda(item) else "torch from an index that has CUDA builds of it"
    framework = by_package(item.name)
    if framework is None or (gpu := framework.gpu) is None:
        return None
    if item.name in gpu.cpu_wheels:
        return None if item.requested else gpu.cpu_wheels[item.name]
    names = {package.name for package in pip} | {package.name for package in conda}
    for companion in gpu.companions:
        there = any(re.fullmatch(companion.needs, name) for name in names)
        if item.name == companion.package and not there:
            return companion.ask.format(major=_major(pip))
    return None


def _torch_has_cuda(item: PipPackage) -> bool:
    """Say whether a torch wheel is a CUDA build."""
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


def _other(what: str, asked: str, details: Sequence[str], key: str) -> ResolveError:
    return ResolveError(
        f"another {what} was resolved than the one that is asked for",
        where=Where(SPEC_FILE, key=key),
        expected=f"{what} {asked}",
        details=details,
        hint=f"change {key}, or ask for a framework that is built for it; packages taken over from "
        "another lock keep what they have",
    )


def _nothing(
    brought: Sequence[tuple[str, str]],
    cudnns: Sequence[tuple[str, str]],
    accelerator: AcceleratorSpec,
) -> Iterator[str]:
    if not brought:
        yield (
            f"CUDA {accelerator.cuda} is asked for, and no package brings its runtime: wheels that "
            "hold it within themselves cannot be checked"
        )
    if accelerator.cudnn is not None and not cudnns:
        yield f"cuDNN {accelerator.cudnn} is asked for, and no package brings it"


def _beside(pip: Sequence[PipPackage], accelerator: AcceleratorSpec) -> Iterator[str]:
    """Yield parts of CUDA that are of another release than the runtime."""
    for wheel in pip:
        stem = re.sub(r"-cu\d+$", "", wheel.name)
        numbered = stem in NUMBERED_AS_CUDA and not RUNTIME_WHEEL.fullmatch(wheel.name)
        if numbered and toolkit_of(wheel.version) != accelerator.cuda:
            yield f"{wheel.name} {wheel.version} is of another CUDA than {accelerator.cuda}"


def _two_ecosystems(
    brought: Sequence[tuple[str, str]], cudnns: Sequence[tuple[str, str]]
) -> Iterator[str]:
    for what, found in (("CUDA runtimes", brought), ("cuDNNs", cudnns)):
        ecosystems = {who.partition("'")[0] for who, _ in found}
        versions = {version for _, version in found}
        if len(ecosystems) > 1 and (what == "CUDA runtimes" or len(versions) > 1):
            named = " and ".join(sorted(f"{who}" for who, _ in found))
            yield f"two {what}, {named}: which one a process loads depends on what it imports first"


def _wheels_on_cpu(pip: Sequence[PipPackage]) -> Iterator[str]:
    """Yield wheels of frameworks that publish no CUDA build as a wheel."""
    for wheel in pip:
        framework = by_package(wheel.name)
        gpu = framework.gpu if framework else None
        if gpu and wheel.name in gpu.wheels_on_cpu and wheel.file.endswith(".whl"):
            yield (
                f"{wheel.name} {wheel.version}: its wheels have no CUDA build and train on the CPU;"
                f" for CUDA, build it from source (`allow-sdist: [{wheel.name}]`) or take conda's"
            )


def driver_warnings(accelerator: AcceleratorSpec, cudnns: Sequence[str]) -> Iterator[str]:
    """Yield what the declared driver floor is too low for, with the driver that would do."""
    if accelerator.driver is None:
        return
    floor = floor_of(accelerator)
    verdict = driver_carries(floor, accelerator.cuda)
    if not verdict.whole:
        yield f"accelerator.driver {accelerator.driver} is too low: {verdict.sentence}"
    for cudnn in cudnns:
        needed = cudnn_driver(cudnn, accelerator.cuda)
        if verdict.runs and number(floor) < number(needed):
            yield f"accelerator.driver {accelerator.driver} is too low for cuDNN {cudnn}: {needed}"

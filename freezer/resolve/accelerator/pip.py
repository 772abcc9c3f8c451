"""`accelerator:` for pip: constraints on torch, NVIDIA's wheels and ``cuda-toolkit``.

Pinning a framework does not pin its CUDA libraries: torch 2.1 to 2.4 and from 2.11 on leave
nvjitlink open, JAX and TensorFlow leave all of them open. The metadata of ``cuda-toolkit`` lists
the wheels of each CUDA release; its ranges constrain NVIDIA's wheels, whichever package needs them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from freezer.errors import ResolveError, Where
from freezer.model.cuda import checked, require_cudnn, toolkit_of
from freezer.resolve.accelerator.nvidia_wheels import (
    NUMBERED_AS_CUDA,
    starts_with,
    wheel_name,
)
from freezer.resolve.accelerator.torch_wheels import (
    cuda_of_torch,
    is_newer_than_table,
    local_tag,
    release_of,
    torch_range,
    torch_series,
    torch_wheels,
)
from freezer.resolve.python.interface import PipRequirement

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from freezer.model.spec.spec import AcceleratorSpec

SPEC_FILE: Final = "freeze.yaml"
TOOLKIT: Final = "cuda-toolkit"
"""NVIDIA's metapackage; its extras are the wheels of one CUDA release."""


@dataclass(frozen=True)
class PipRules:
    """Constraints and warnings that ``accelerator:`` adds to the pip requirements."""

    constraints: tuple[PipRequirement, ...]
    warnings: tuple[str, ...] = ()


def pip_rules(
    accelerator: AcceleratorSpec,
    requested: Sequence[PipRequirement] = (),
    *,
    torch: Iterable[str] = (),
    toolkits: Iterable[Sequence[str]] = (),
) -> PipRules:
    """Return the constraints that ``accelerator:`` adds to a pip resolution. Pure.

    ``torch``: the versions of torch on the user's indexes, local versions included. ``toolkits``:
    the ``Requires-Dist`` lines of each ``cuda-toolkit`` release of this CUDA on them. Where they
    are empty, the built-in table is used. Raises ``SpecError`` for an unknown CUDA or cuDNN,
    ``ResolveError`` for a torch of another CUDA.
    """
    cuda = checked(accelerator.cuda)
    require_cudnn(accelerator.cudnn, cuda)
    texts = [f"{TOOLKIT}=={cuda}.*", *_wheels(cuda, list(toolkits)), *_cudnn(accelerator)]
    texts += _torch(accelerator, cuda, requested, sorted(_versions(torch)))
    where = Where(SPEC_FILE, key="accelerator")
    return PipRules(tuple(PipRequirement(Requirement(text), where) for text in texts))


def _cudnn(accelerator: AcceleratorSpec) -> list[str]:
    if accelerator.cudnn is None:
        return []
    return [f"nvidia-cudnn-cu{accelerator.cuda.split('.')[0]}=={accelerator.cudnn}.*"]


def _wheels(cuda: str, toolkits: Sequence[Sequence[str]]) -> list[str]:
    """Return a version range for each NVIDIA wheel: the least to the greatest of this CUDA."""
    pins: dict[str, list[Version]] = {}
    for lines in toolkits:
        for name, version in _pins(lines):
            pins.setdefault(name, []).append(version)
    ranges = {
        name: f"{name}>={min(found)},<{_after(max(found))}" for name, found in sorted(pins.items())
    }
    numbered = [wheel_name(stem, cuda) for stem in NUMBERED_AS_CUDA]
    missing = [f"{name}=={cuda}.*" for name in numbered if name not in ranges]
    return [*ranges.values(), *missing]


def _pins(lines: Sequence[str]) -> Iterable[tuple[str, Version]]:
    """Yield name and version of each exact pin: ``nvidia-cublas==13.1.1.3.*``.

    Open ranges (``nvidia-nvjitlink<14,>=13.0.88``) are skipped; the table has those.
    """
    for line in lines:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        exact = re.fullmatch(r"==([0-9]+(?:\.[0-9]+)*)(?:\.\*)?", str(requirement.specifier))
        if exact and requirement.name.startswith("nvidia-"):
            yield requirement.name, Version(exact[1])


def _after(version: Version) -> str:
    """Return the first version after a pin: ``13.1.1.4`` after ``13.1.1.3.*``."""
    return ".".join(map(str, (*version.release[:-1], version.release[-1] + 1)))


def _versions(texts: Iterable[str]) -> Iterable[Version]:
    for text in texts:
        try:
            yield Version(text)
        except InvalidVersion:
            continue


def _torch(
    accelerator: AcceleratorSpec,
    cuda: str,
    requested: Sequence[PipRequirement],
    offered: Sequence[Version],
) -> list[str]:
    """Return constraints on torch, requested or needed by another package."""
    if names_a_cpu_torch(requested):
        return []
    own = [item for item in requested if item.name == "torch" and not item.requirement.url]
    specifiers = SpecifierSet(",".join(str(item.requirement.specifier) for item in own))
    candidates = [v for v in offered if specifiers.contains(v, prereleases=None)] or _pinned(own)
    fitting = [v for v in candidates if _has_cuda(v, accelerator, cuda)]
    unknown = [v for v in candidates if is_newer_than_table(str(v))]
    if own and candidates and not fitting and not unknown:
        raise _no_such_torch(own, candidates, offered, cuda, accelerator)
    if fitting and fitting[-1].local is not None:
        return [f"torch=={fitting[-1]}"]
    span = torch_range(cuda)
    if span is None or not fitting:
        return []
    others = [v for v in offered if v.local and SpecifierSet(span).contains(v)]
    return [f"torch{span}", *(f"torch!={v}" for v in others if not _has_cuda(v, accelerator, cuda))]


def names_a_cpu_torch(requested: Iterable[PipRequirement]) -> bool:
    """Return whether the requirements name a CPU build of torch: ``torch==2.13.0+cpu``."""
    own = [item for item in requested if item.name == "torch"]
    return any(v.local and cuda_of_torch(str(v)) == "cpu" for v in _pinned(own))


def _pinned(own: Sequence[PipRequirement]) -> list[Version]:
    """Return the exact versions in requirements."""
    pins = [
        specifier.version
        for item in own
        for specifier in item.requirement.specifier
        if specifier.operator in ("==", "===") and not specifier.version.endswith(".*")
    ]
    return list(_versions(pins))


def _has_cuda(version: Version, accelerator: AcceleratorSpec, cuda: str) -> bool:
    if cuda_of_torch(str(version)) != cuda:
        return False
    release = release_of(str(version))
    if accelerator.cudnn is None or release is None or version.local is not None:
        return True
    return starts_with(release.cudnn, accelerator.cudnn)


def _no_such_torch(
    own: Sequence[PipRequirement],
    candidates: Sequence[Version],
    offered: Sequence[Version],
    cuda: str,
    accelerator: AcceleratorSpec,
) -> ResolveError:
    """Return the error for a torch of another CUDA, with the versions that would fit."""
    if same := [v for v in candidates if cuda_of_torch(str(v)) == cuda]:
        return _no_such_cudnn(own, same[-1], cuda, str(accelerator.cudnn))
    on_gpu = [v for v in candidates if cuda_of_torch(str(v)) != "cpu"]
    newest = (on_gpu or candidates)[-1]
    theirs = _description(newest)
    fitting = [v for v in offered if _has_cuda(v, accelerator, cuda)]
    named = [str(v) for v in fitting[-3:]] or [f"{series}.*" for series in torch_series(cuda)[-3:]]
    choices = [f"request torch {' or '.join(named)}"] if named else []
    if (has := cuda_of_torch(str(newest))) not in (None, "cpu"):
        choices.append(f"set accelerator.cuda to {has}")
    choices.append(f"add an index that has torch {newest.public}+{local_tag(cuda)}")
    cudnn = f" and cuDNN {accelerator.cudnn}" if accelerator.cudnn else ""
    return ResolveError(
        f"no requested version of torch has CUDA {cuda}{cudnn}",
        where=own[0].where,
        found=f"torch {newest}: {theirs}",
        expected=_nearest(cuda),
        hint="; or ".join(choices),
    )


def _no_such_cudnn(
    own: Sequence[PipRequirement], torch: Version, cuda: str, cudnn: str
) -> ResolveError:
    """Return the error for a torch of another cuDNN, with the versions that would fit."""
    release = release_of(str(torch))
    theirs = release.cudnn if release else "another one"
    others = [item for item in torch_wheels() if starts_with(item.cudnn, cudnn)]
    named = [f"torch {item.series} (CUDA {item.cuda}, cuDNN {item.cudnn})" for item in others]
    choices = [f"set accelerator.cudnn to {theirs}, or remove it"]
    choices += [f"request {' or '.join(named)}"] if named else []
    return ResolveError(
        f"no requested version of torch has CUDA {cuda} and cuDNN {cudnn}",
        where=own[0].where,
        found=f"torch {torch}: {_description(torch)}",
        expected=f"cuDNN {theirs} on CUDA {cuda}",
        hint="; or ".join(choices),
    )


def _description(version: Version) -> str:
    cuda, release = cuda_of_torch(str(version)), release_of(str(version))
    if cuda == "cpu":
        return "a CPU build"
    cudnn = f" and cuDNN {release.cudnn}" if release and version.local is None else ""
    return f"CUDA {cuda}{cudnn}"


def _nearest(cuda: str) -> str:
    """Return as text the CUDA releases of torch's default wheels."""
    series: dict[str, list[str]] = {}
    for item in torch_wheels():
        series.setdefault(item.cuda, []).append(item.series)
    if cuda in series:
        return (
            f"torch {series[cuda][0]} to {series[cuda][-1]}, whose wheels are built for CUDA {cuda}"
        )
    listed = [
        f"{release} (torch {names[0]}" + (f" to {names[-1]})" if len(names) > 1 else ")")
        for release, names in series.items()
        if toolkit_of(release).split(".")[0] == cuda.split(".", maxsplit=1)[0]
    ]
    return f"CUDA {', '.join(listed)}" if listed else "a CUDA that torch's wheels are built for"

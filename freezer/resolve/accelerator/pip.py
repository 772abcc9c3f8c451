"""`accelerator:` for pip: constraints on torch, on NVIDIA's wheels and on ``cuda-toolkit``.

To pin a framework does not freeze its CUDA: torch 2.1 to 2.4 and all from 2.11 on let nvjitlink
float, JAX and TensorFlow let every library. The metadata of ``cuda-toolkit`` names the wheels of
each CUDA release, so its ranges hold for all of NVIDIA's wheels, whoever needs them.
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
    is_younger_than_table,
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
"""NVIDIA's metapackage: its extras name the wheels of one CUDA release."""


@dataclass(frozen=True)
class PipRules:
    """What the pip ecosystem is asked for besides the user's requirements."""

    constraints: tuple[PipRequirement, ...]
    warnings: tuple[str, ...] = ()


def pip_rules(
    accelerator: AcceleratorSpec,
    asked: Sequence[PipRequirement] = (),
    *,
    torch: Iterable[str] = (),
    toolkits: Iterable[Sequence[str]] = (),
) -> PipRules:
    """Return the constraints that ``accelerator:`` makes of a pip question. Pure.

    ``torch`` are the versions of torch that the user's indexes offer, local versions included;
    ``toolkits`` the ``Requires-Dist`` lines of each ``cuda-toolkit`` release of this CUDA that they
    offer. Both may be empty where they cannot be had: then the table stands in. Raises
    ``SpecError`` for a CUDA or a cuDNN that there is not, ``ResolveError`` for a torch of another
    CUDA.
    """
    cuda = checked(accelerator.cuda)
    require_cudnn(accelerator.cudnn, cuda)
    texts = [f"{TOOLKIT}=={cuda}.*", *_wheels(cuda, list(toolkits)), *_cudnn(accelerator)]
    texts += _torch(accelerator, cuda, asked, sorted(_versions(torch)))
    where = Where(SPEC_FILE, key="accelerator")
    return PipRules(tuple(PipRequirement(Requirement(text), where) for text in texts))


def _cudnn(accelerator: AcceleratorSpec) -> list[str]:
    if accelerator.cudnn is None:
        return []
    return [f"nvidia-cudnn-cu{accelerator.cuda.split('.')[0]}=={accelerator.cudnn}.*"]


def _wheels(cuda: str, toolkits: Sequence[Sequence[str]]) -> list[str]:
    """Return a range for each of NVIDIA's wheels: from its least to its greatest in this CUDA."""
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
    """Yield name and version of what a ``cuda-toolkit`` pins: ``nvidia-cublas==13.1.1.3.*``.

    What it leaves open (``nvidia-nvjitlink<14,>=13.0.88``) is left to the table.
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
    """Return the first version that is not of a pin: ``13.1.1.4`` after ``13.1.1.3.*``."""
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
    asked: Sequence[PipRequirement],
    offered: Sequence[Version],
) -> list[str]:
    """Return what holds of torch, should anything bring it in."""
    if names_a_cpu_torch(asked):
        return []
    mine = [item for item in asked if item.name == "torch" and not item.requirement.url]
    wanted = SpecifierSet(",".join(str(item.requirement.specifier) for item in mine))
    candidates = [v for v in offered if wanted.contains(v, prereleases=None)] or _pinned(mine)
    right = [v for v in candidates if _carries(v, accelerator, cuda)]
    unknown = [v for v in candidates if is_younger_than_table(str(v))]
    if mine and candidates and not right and not unknown:
        raise _no_such_torch(mine, candidates, offered, cuda, accelerator)
    if right and right[-1].local is not None:
        return [f"torch=={right[-1]}"]
    span = torch_range(cuda)
    if span is None or not right:
        return []
    others = [v for v in offered if v.local and SpecifierSet(span).contains(v)]
    return [f"torch{span}", *(f"torch!={v}" for v in others if not _carries(v, accelerator, cuda))]


def names_a_cpu_torch(asked: Iterable[PipRequirement]) -> bool:
    """Say whether the user's own requirements name a CPU build of torch: ``torch==2.13.0+cpu``."""
    mine = [item for item in asked if item.name == "torch"]
    return any(v.local and cuda_of_torch(str(v)) == "cpu" for v in _pinned(mine))


def _pinned(mine: Sequence[PipRequirement]) -> list[Version]:
    """Return the exact versions that requirements name."""
    pins = [
        specifier.version
        for item in mine
        for specifier in item.requirement.specifier
        if specifier.operator in ("==", "===") and not specifier.version.endswith(".*")
    ]
    return list(_versions(pins))


def _carries(version: Version, accelerator: AcceleratorSpec, cuda: str) -> bool:
    if cuda_of_torch(str(version)) != cuda:
        return False
    release = release_of(str(version))
    if accelerator.cudnn is None or release is None or version.local is not None:
        return True
    return starts_with(release.cudnn, accelerator.cudnn)


def _no_such_torch(
    mine: Sequence[PipRequirement],
    candidates: Sequence[Version],
    offered: Sequence[Version],
    cuda: str,
    accelerator: AcceleratorSpec,
) -> ResolveError:
    """Say which torch has this CUDA, and which CUDA has this torch."""
    if same := [v for v in candidates if cuda_of_torch(str(v)) == cuda]:
        return _no_such_cudnn(mine, same[-1], cuda, str(accelerator.cudnn))
    on_gpu = [v for v in candidates if cuda_of_torch(str(v)) != "cpu"]
    newest = (on_gpu or candidates)[-1]
    theirs = _words_of(newest)
    fitting = [v for v in offered if _carries(v, accelerator, cuda)]
    named = [str(v) for v in fitting[-3:]] or [f"{series}.*" for series in torch_series(cuda)[-3:]]
    choices = [f"ask for torch {' or '.join(named)}"] if named else []
    if (has := cuda_of_torch(str(newest))) not in (None, "cpu"):
        choices.append(f"set accelerator.cuda to {has}")
    choices.append(f"name an index that has torch {newest.public}+{local_tag(cuda)}")
    cudnn = f" and cuDNN {accelerator.cudnn}" if accelerator.cudnn else ""
    return ResolveError(
        f"no torch that is asked for carries CUDA {cuda}{cudnn}",
        where=mine[0].where,
        found=f"torch {newest}: {theirs}",
        expected=_nearest(cuda),
        hint="; or ".join(choices),
    )


def _no_such_cudnn(
    mine: Sequence[PipRequirement], torch: Version, cuda: str, cudnn: str
) -> ResolveError:
    """Say which cuDNN torch has on this CUDA, and which torch has this cuDNN."""
    release = release_of(str(torch))
    theirs = release.cudnn if release else "another one"
    others = [item for item in torch_wheels() if starts_with(item.cudnn, cudnn)]
    named = [f"torch {item.series} (CUDA {item.cuda}, cuDNN {item.cudnn})" for item in others]
    choices = [f"set accelerator.cudnn to {theirs}, or leave it out"]
    choices += [f"ask for {' or '.join(named)}"] if named else []
    return ResolveError(
        f"no torch that is asked for carries CUDA {cuda} and cuDNN {cudnn}",
        where=mine[0].where,
        found=f"torch {torch}: {_words_of(torch)}",
        expected=f"cuDNN {theirs} on CUDA {cuda}",
        hint="; or ".join(choices),
    )


def _words_of(version: Version) -> str:
    cuda, release = cuda_of_torch(str(version)), release_of(str(version))
    if cuda == "cpu":
        return "a CPU build"
    cudnn = f" and cuDNN {release.cudnn}" if release and version.local is None else ""
    return f"CUDA {cuda}{cudnn}"


def _nearest(cuda: str) -> str:
    """Return in words which CUDA torch's default wheels carry."""
    series: dict[str, list[str]] = {}
    for item in torch_wheels():
        series.setdefault(item.cuda, []).append(item.series)
    if cuda in series:
        return f"torch {series[cuda][0]} to {series[cuda][-1]}, whose wheels carry CUDA {cuda}"
    shown = [
        f"{carried} (torch {names[0]}" + (f" to {names[-1]})" if len(names) > 1 else ")")
        for carried, names in series.items()
        if toolkit_of(carried).split(".")[0] == cuda.split(".", maxsplit=1)[0]
    ]
    return f"CUDA {', '.join(shown)}" if shown else "a CUDA that torch's wheels carry"

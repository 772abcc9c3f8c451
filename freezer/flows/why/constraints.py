"""What keeps a locked package at its version: the spec's lines, its parents, the declared GPU."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from freezer.errors import FreezerError, SpecError
from freezer.flows.lock.ecosystems import read_requirements
from freezer.flows.lock.interface import LockRequest
from freezer.flows.project.environment import load_environment
from freezer.resolve.python.markers import marker_holds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.requirements import Requirement

    from freezer.ecosystems.interface import Key
    from freezer.fetch.store.store import Store
    from freezer.flows.project.project import Project
    from freezer.history.why import Graph
    from freezer.model.lock import Lock, PipPackage

_CONDA_CUDA = frozenset({"cuda-version", "cudatoolkit", "cudnn", "libcudnn", "nccl"})
"""Names of conda-forge that are CUDA's without needing ``cuda-version``."""
_BLAS = frozenset({"libblas", "libcblas", "liblapack", "liblapacke"})
_EXTRA = re.compile(r"extra == [\"']([^\"']+)[\"']")
_REQUIRES = "wheel-requires-1"
"""Kind of memo: what a wheel requires, by its SHA-256."""
_ROLES = {"cuda": "accelerator", "cudnn": "accelerator", "nccl": "accelerator"}
_ROLES |= {"blas": "blas", "lapack": "blas"}


@dataclass(frozen=True)
class Hold:
    """One constraint on a locked version."""

    kind: Literal["spec", "constraint", "parent", "accelerator", "blas", "as-of", "exception"]
    by: str
    """The place in the user's files, the package that needs it, or what was declared."""
    wanted: str | None = None
    """What it asks for, as written there; None where that is not known."""


def wheel_needs(
    project: Project, lock: Lock, package: PipPackage
) -> dict[str, tuple[str, ...]] | None:
    """Return what a locked wheel asks for on the lock's target: name to version ranges.

    An empty range means any version. None where the wheel is not in the store, or cannot be read.
    """
    if not package.file.endswith(".whl") or not project.store.has(package.sha256):
        return None
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    from freezer.resolve.python.tags import marker_environment

    try:
        wanted = [Requirement(text) for text in _requires_dist(project.store, package)]
    except (FreezerError, InvalidRequirement):
        return None
    target = marker_environment(lock.target)
    found: dict[str, list[str]] = {}
    for item in wanted:
        name, text = canonicalize_name(item.name), str(item.specifier)
        if item.marker is None or marker_holds(item.marker, target):
            found.setdefault(name, []).append(text)
        elif name in package.requires:
            # The lock does not record the requested extras: name each possible one.
            found.setdefault(name, []).extend(
                f"{text} (extra {one})".strip()
                for one in _extras(item)
                if marker_holds(item.marker, {**target, "extra": one})
            )
    return {name: tuple(dict.fromkeys(each)) for name, each in found.items()}


def _requires_dist(store: Store, package: PipPackage) -> list[str]:
    """Return the requirements that a wheel in the store declares; each wheel is opened once.

    Raises ``IntegrityError`` for a wheel that is not sound.
    """
    known = store.get_memo(_REQUIRES, package.sha256, list[str])
    if known is not None:
        return known
    from email.parser import HeaderParser

    from freezer.image.wheel.archive import open_wheel

    with open_wheel(store.verified(package.sha256), package) as wheel:
        metadata = HeaderParser().parsestr(wheel.text("METADATA"))
    found = [str(text) for text in metadata.get_all("Requires-Dist", [])]
    store.put_memo(_REQUIRES, package.sha256, found)
    return found


def _extras(item: Requirement) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_EXTRA.findall(str(item.marker))))


def holds(project: Project, lock: Lock, found: Graph, key: Key) -> tuple[Hold, ...]:
    """Return the constraints on a package's version, as far as known."""
    constraints = list(_spec_lines(project, lock, key))
    constraints += [
        Hold("parent", str(need.by), text)
        for need in found.needs.get(key, ())
        for text in (need.wanted or (None,))
    ]
    constraints += _declared(lock, found, key)
    newer = lock.exceptions.get(key.name) if key.ecosystem in ("pip", "build") else None
    if newer is not None:
        constraints.append(Hold("exception", newer.reason, newer.as_of))
    elif key.ecosystem != "base" or lock.base.kind == "bootstrap":
        constraints.append(Hold("as-of", "nothing newer was considered", lock.as_of))
    return tuple(constraints)


def _spec_lines(project: Project, lock: Lock, key: Key) -> Iterator[Hold]:
    """Yield the lines of the spec, and of the files that it names, that speak of a package."""
    try:
        environment = load_environment(project.root, lock.name)
        requirements = read_requirements(environment, project.config)
    except SpecError:
        return  # a lock explains itself; the spec may be broken or not there
    by_name = {resolver.name: resolver for resolver in requirements.resolvers()}
    if (resolver := by_name.get(key.ecosystem)) is None:
        return
    request = LockRequest(environment, lock.as_of, lock)
    for line in resolver.spec_lines(request, lock, key.name):
        yield Hold("constraint" if line.constraint else "spec", str(line.where), line.text)


def _declared(lock: Lock, found: Graph, key: Key) -> Iterator[Hold]:
    """Return the accelerator or the BLAS of the lock, for a package that is a part of it."""
    package = found.packages[key]
    parts = {
        _ROLES.get(one.role)
        for one in lock.components
        if one.provider == f"{key.ecosystem}:{key.name}"
    }
    depends = getattr(package, "depends", ())
    cuda = key.name in _CONDA_CUDA if key.ecosystem == "conda" else key.name.startswith("nvidia-")
    if lock.accelerator and (
        cuda or "accelerator" in parts or any(text.startswith("cuda-version") for text in depends)
    ):
        told = lock.accelerator
        each = [
            f"CUDA {told.cuda}",
            told.cudnn and f"cuDNN {told.cudnn}",
            told.driver and f"driver {told.driver}",
        ]
        yield Hold(
            "accelerator", "what the spec declares, as it was locked", ", ".join(filter(None, each))
        )
    if lock.blas and ("blas" in parts or key.name in _BLAS):
        yield Hold("blas", "what the spec declares, as it was locked", lock.blas)

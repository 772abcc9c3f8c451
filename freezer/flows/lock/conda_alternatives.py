"""Suggests available alternatives to an unsatisfiable CUDA, cuDNN or BLAS.

A solver's proof names constraints, but often not the one that matters. So the request is solved
without `blas`, without `accelerator`, and then with neighbouring versions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, get_args

from freezer.errors import ResolveError
from freezer.flows.project.environment import place
from freezer.model.cuda import TOOLKITS, number, toolkit_of
from freezer.model.events import SilentReporter
from freezer.model.spec.spec import Blas
from freezer.resolve.accelerator.check import locked_accelerator
from freezer.resolve.accelerator.conda import (
    conda_constraints,
    gpu_packages,
    gpu_parts,
    name_of,
    virtual_packages,
)
from freezer.resolve.conda.solver.rattler import solve

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from freezer.flows.project.environment import Environment
    from freezer.flows.project.project import Project
    from freezer.model.lock import CondaPackage
    from freezer.model.spec.spec import AcceleratorSpec
    from freezer.resolve.conda.solver.interface import CondaRequest

_STEPS: Final = 3
"""Newer toolkits that are tried one by one; beyond these only the newest is."""


def refused(
    project: Project, environment: Environment, request: CondaRequest, error: ResolveError
) -> ResolveError:
    """Return the error for a conflict: the key at fault, and the nearest available values.

    ``error`` itself when neither `accelerator` nor `blas` is at fault.
    """
    spec = environment.spec
    if spec.accelerator is None and spec.blas is None:
        return error
    ways = _Alternatives(project, request, spec.accelerator, spec.blas)
    with project.report.task("Searching the channels for the nearest alternatives"):
        keys = ways.at_fault()
        available = list(ways.nearest(keys))
    if not keys:
        return error
    named = " and ".join(f"`{key}`" for key in keys)
    change = "the requested value" if available else "something else"
    return ResolveError(
        f"the channels have no packages for {named}",
        where=place(environment, keys[0]),
        details=error.details,
        expected="; or ".join(available) or None,
        hint=f"set {' or '.join(keys)} to {change}, or add a channel that has such builds",
    )


@dataclass(frozen=True)
class _Alternatives:
    """One request, solved with other values of `accelerator` and `blas`."""

    project: Project
    request: CondaRequest
    accelerator: AcceleratorSpec | None
    blas: Blas | None

    def at_fault(self) -> list[str]:
        """Return the keys without which there is a solution; none when neither matters."""
        if self.blas and self._solve(self.accelerator, None):
            return ["blas"]
        if self.accelerator and self._solve(None, self.blas):
            return ["accelerator"]
        both = self.blas and self.accelerator and self._solve(None, None)
        return ["accelerator", "blas"] if both else []

    def nearest(self, keys: Sequence[str]) -> Iterator[str]:
        """Yield as text values with a solution, without duplicates."""
        if keys == ["blas"]:
            kinds = [kind for kind in get_args(Blas) if kind != self.blas]
            if found := [kind for kind in kinds if self._solve(self.accelerator, kind)]:
                yield f"blas: {' or '.join(found)}"
        elif keys and self.accelerator is not None:
            yield from dict.fromkeys(self._toolkits(self.accelerator))

    def _toolkits(self, requested: AcceleratorSpec) -> Iterator[str]:
        """Yield the same CUDA with another cuDNN, the next older CUDA, and the next newer one."""
        if requested.cudnn and (
            found := self._solve(_with(requested, requested.cuda, None), self.blas)
        ):
            yield _described(found, requested)
        if found := self._solve(
            _with(requested, _NEWEST, requested.cudnn), self.blas, f"<{requested.cuda}"
        ):
            yield _described(found, requested)
        newer = [cuda for cuda in TOOLKITS if number(cuda) > number(requested.cuda)]
        ranges = [
            *(f"{cuda}.*" for cuda in newer[:_STEPS]),
            *(f">={c}" for c in newer[_STEPS:][:1]),
        ]
        for span in ranges:
            if found := self._solve(_with(requested, _NEWEST, requested.cudnn), self.blas, span):
                yield _described(found, requested)
                return

    def _solve(
        self, accelerator: AcceleratorSpec | None, blas: Blas | None, cuda: str | None = None
    ) -> tuple[CondaPackage, ...]:
        """Return the solution for other values; ``cuda`` is a range instead of one toolkit."""
        request = self.request
        glibc = request.virtual_packages["__glibc"]
        constraints = conda_constraints(accelerator, blas, request.specs)
        if cuda is not None:
            others = (text for text in constraints if name_of(text) != "cuda-version")
            constraints = (*others, f"cuda-version {cuda}")
        other = replace(
            request,
            keep={},
            constraints=constraints,
            virtual_packages=virtual_packages(accelerator, glibc, request.subdir),
        )
        project = self.project
        try:
            found = solve(
                other, config=project.config, store=project.store, report=SilentReporter()
            )
        except ResolveError:
            return ()
        return found.packages


_NEWEST: Final = list(TOOLKITS)[-1]


def _with(requested: AcceleratorSpec, cuda: str, cudnn: str | None) -> AcceleratorSpec:
    return requested.model_copy(update={"cuda": cuda, "cudnn": cudnn, "driver": None})


def _described(packages: Sequence[CondaPackage], requested: AcceleratorSpec) -> str:
    """Return a solution as text: ``CUDA 12.6 with cuDNN 9.3.0.75 (pytorch 2.6.0)``."""
    versions = {item.name: item.version for item in packages}
    cuda = toolkit_of(versions.get("cuda-version") or requested.cuda)
    locked = locked_accelerator((), packages, _with(requested, cuda, None))
    cudnn = f" with cuDNN {locked.cudnn}" if locked.cudnn else ""
    parts = {part for named in gpu_parts().values() for part in named}
    whole = [name for name in gpu_packages() if name in versions and name not in parts]
    theirs = [f"{name} {versions[name]}" for name in whole]
    return f"CUDA {cuda}{cudnn}" + (f" ({', '.join(theirs)})" if theirs else "")

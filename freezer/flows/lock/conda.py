"""Resolver of an environment's conda packages, on all its platforms."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

from freezer.errors import ResolveError
from freezer.flows.lock.debian import newest_as_of
from freezer.flows.lock.interface import CondaAnswer, SpecLine
from freezer.flows.project.environment import place
from freezer.flows.project.spec_errors import errors_at
from freezer.image.layout import ENVIRONMENT
from freezer.model.canonical import plain
from freezer.model.events import PartOf
from freezer.model.lock import PythonTarget

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from freezer.fetch.conda.channels import CondaChannel
    from freezer.fetch.config import Config
    from freezer.flows.lock.interface import Below, LockRequest
    from freezer.flows.project.environment import Environment
    from freezer.flows.project.project import Project
    from freezer.model.lock import CondaPackage, Lock
    from freezer.model.spec.spec import CondaSpec
    from freezer.resolve.conda.environment import CondaRequirements
    from freezer.resolve.conda.solver.interface import CondaRequest, CondaResolution

_OTHER_PYTHON = re.compile(r"pypy|graalpy|cp3\d+t\b")
"""Build names of Pythons other than plain CPython."""


@dataclass(frozen=True)
class CondaResolver:
    """See `freezer.flows.lock.interface.EcosystemResolver`."""

    requirements: Mapping[str, CondaRequirements] = field(default_factory=dict)
    """Requirements by platform, the environment's own first; empty without conda."""
    name: ClassVar[str] = "conda"
    stale: ClassVar[str] = "the spec requests other conda packages, or another way to resolve them"

    def question(self, request: LockRequest, below: Below) -> list[Any] | None:
        """Return the requirements on each platform, the solver and its constraints."""
        if not self.requirements:
            return None
        spec = request.environment.spec
        return [
            [[platform, item.lines] for platform, item in self.requirements.items()],
            _spec(request.environment).resolver,
            below.debian.glibc,
            plain(spec.accelerator) if spec.accelerator else None,
            spec.blas,
        ]

    def locked(self, lock: Lock) -> CondaAnswer:
        """Return the result in a lock."""
        return CondaAnswer(
            packages=lock.conda,
            other_platforms=lock.conda_elsewhere,
            virtual_packages=lock.virtual_packages,
            python=lock.target.python if lock.conda else None,
        )

    def resolve(self, project: Project, request: LockRequest, below: Below) -> CondaAnswer:
        """Return the packages that satisfy a spec's conda half on all its platforms.

        Raises ``ResolveError`` and ``FetchError``; for an existing lock ``ArtifactGoneError`` and
        ``IntegrityError``.
        """
        from freezer.resolve.accelerator.conda import require_gpu_builds, virtual_packages
        from freezer.resolve.conda.solver.virtual_packages import SUBDIRS

        environment, glibc = request.environment, below.debian.glibc
        spec = environment.spec
        with errors_at(environment, "accelerator"):
            declared = virtual_packages(spec.accelerator, glibc, SUBDIRS[spec.platform])
        _warn(project, (text for item in self.requirements.values() for text in item.warnings))
        found: dict[str, CondaResolution] = {}
        for platform, item in self.requirements.items():
            with errors_at(environment, "conda"):
                found[platform] = _resolve(project, request, platform, item, glibc)
            if spec.accelerator is not None:
                require_gpu_builds(found[platform].packages, item.specs)
        own = found.pop(spec.platform)
        return CondaAnswer(
            packages=own.packages,
            other_platforms={name: one.packages for name, one in found.items()},
            virtual_packages=declared,
            python=conda_python(own.packages, environment),
            causes=own.causes,
            alone={**{k: v for one in found.values() for k, v in one.alone.items()}, **own.alone},
        )

    def spec_lines(self, request: LockRequest, lock: Lock, name: str) -> Iterator[SpecLine]:
        """Yield the match specs for a package, on the lock's platform."""
        from freezer.resolve.conda.specname import spec_name

        del request
        own = self.requirements.get(lock.platform)
        for item in own.specs if own else ():
            if spec_name(item.text) == name:
                yield SpecLine(item.where, item.text)

    def limits(
        self, project: Project, request: LockRequest, lock: Lock, names: Iterable[str]
    ) -> Iterator[tuple[str, str, str | None, str]]:
        """Yield the cut-off: the solver selects the newest that fits."""
        del project, request
        wanted = set(names)
        for item in lock.conda:
            if item.name in wanted:
                yield item.name, f"{item.version} {item.build}", None, newest_as_of(lock)


def read_conda(environment: Environment, config: Config) -> dict[str, CondaRequirements]:
    """Return the spec's conda requirements by platform, its own first; empty without conda.

    Raises ``SpecError`` with the location.
    """
    spec = environment.spec
    if spec.conda is None:
        return {}
    from freezer.resolve.conda.environment import gather_conda
    from freezer.resolve.conda.solver.virtual_packages import SUBDIRS

    with errors_at(environment, "conda"):
        return {
            platform: gather_conda(
                environment.spec_folder,
                spec.conda,
                spec.python,
                config=config,
                subdir=SUBDIRS[platform],
            )
            for platform in dict.fromkeys((spec.platform, *sorted(spec.conda.platforms)))
        }


def channels_of(requirements: Mapping[str, CondaRequirements]) -> tuple[CondaChannel, ...]:
    """Return the channels of all platforms, without duplicates, in order of priority."""
    found = {channel.name: channel for one in requirements.values() for channel in one.channels}
    return tuple(found.values())


def conda_python(packages: Sequence[CondaPackage], environment: Environment) -> PythonTarget:
    """Return the Python among conda packages. Raises ``ResolveError`` for another one or none."""
    python = next((item for item in packages if item.name == "python"), None)
    wanted = environment.spec.python
    if python is None or ".".join(python.version.split(".")[:2]) != wanted:
        raise ResolveError(
            f"the conda packages contain no Python {wanted}",
            where=place(environment, "python"),
            found=f"python {python.version} {python.build}" if python else "no python package",
            expected=f"python {wanted}",
            hint="set `python:` to the environment's version, or request another one",
        )
    if other := _OTHER_PYTHON.search(python.build):
        raise ResolveError(
            "the conda packages contain another Python than CPython",
            where=place(environment, "conda"),
            found=f"python {python.version} {python.build} ({other[0]})",
            expected="a build of CPython with its global interpreter lock",
            hint="request it by its build: `python=*=*cpython` or `python-gil`",
        )
    return PythonTarget(
        version=python.version,
        abi=f"cp{wanted.replace('.', '')}",
        executable=f"{ENVIRONMENT}/bin/python{wanted}",
    )


def _resolve(
    project: Project,
    request: LockRequest,
    platform: str,
    requirements: CondaRequirements,
    glibc: str,
) -> CondaResolution:
    """Resolve one platform, or use its packages of an existing lock."""
    from freezer.resolve.accelerator.conda import conda_constraints, virtual_packages
    from freezer.resolve.conda.solver.interface import CondaConflictError, CondaRequest
    from freezer.resolve.conda.solver.virtual_packages import SUBDIRS

    spec, subdir = request.environment.spec, SUBDIRS[platform]
    if requirements.locked:
        from freezer.resolve.conda.takeover.complete import import_runs

        found = import_runs(
            requirements.locked, subdir=subdir, store=project.store, report=project.report
        )
    else:
        wanted = CondaRequest(
            channels=requirements.channels,
            specs=requirements.specs,
            subdir=subdir,
            virtual_packages=virtual_packages(spec.accelerator, glibc, subdir),
            as_of=request.as_of,
            keep=_locked_for(request, platform),
            constraints=conda_constraints(spec.accelerator, spec.blas, requirements.specs),
        )
        try:
            found = _solve(project, request, wanted)
        except CondaConflictError as error:
            from freezer.flows.lock.conda_alternatives import refused

            raise refused(project, request.environment, wanted, error) from error
    _warn(project, found.warnings)
    return found


def _solve(project: Project, request: LockRequest, wanted: CondaRequest) -> CondaResolution:
    """Run the solver; for an update as often as the smallest change requires."""
    from freezer.resolve.conda.solver.choose import conda_solver
    from freezer.resolve.conda.specname import spec_name
    from freezer.resolve.minimal import minimal_update

    solver = conda_solver(_spec(request.environment).resolver)
    release, old = request.released("conda"), wanted.keep
    if release is None or not old:
        return solver(wanted, config=project.config, store=project.store, report=project.report)
    kept = {name: package for name, package in old.items() if name not in release.names}
    quiet = PartOf(project.report)

    def solve(
        *,
        held: frozenset[str],
        pins: Mapping[str, str],
        floors: Mapping[str, str],
        above: tuple[str, str] | None = None,
    ) -> CondaResolution:
        more = [f"{name} =={old[name].version} {old[name].build}" for name in sorted(held)]
        more += [f"{name} =={version}" for name, version in pins.items()]
        more += [f"{name} >={version.partition(' ')[0]}" for name, version in floors.items()]
        more += [f"{above[0]} >{above[1].partition(' ')[0]}"] if above else []
        narrowed = replace(wanted, keep=kept, constraints=(*wanted.constraints, *more))
        return solver(narrowed, config=project.config, store=project.store, report=quiet)

    with project.report.task("Searching for the smallest change of conda packages"):
        found = minimal_update(
            release,
            {name: f"{package.version} {package.build}" for name, package in old.items()},
            {name: list(map(spec_name, package.depends)) for name, package in old.items()},
            solve,
            lambda one: {item.name: f"{item.version} {item.build}" for item in one.packages},
        )
    return replace(found.answer, causes=dict(found.refusals), alone=found.alone)


def _locked_for(request: LockRequest, platform: str) -> dict[str, CondaPackage]:
    """Return the packages of the old lock for a platform, by name."""
    if request.old is None:
        return {}
    own = platform == request.old.platform
    packages = request.old.conda if own else request.old.conda_elsewhere.get(platform, ())
    return {package.name: package for package in packages}


def _warn(project: Project, warnings: Iterable[str]) -> None:
    for warning in dict.fromkeys(warnings):
        project.report.warn(warning)


def _spec(environment: Environment) -> CondaSpec:
    spec = environment.spec.conda
    assert spec is not None, "called only if there is one"  # noqa: S101 - for the type checker
    return spec

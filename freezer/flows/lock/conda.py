"""The conda packages of an environment, on its own platform and on those locked beside it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from freezer.errors import ResolveError
from freezer.flows.lock.answers import CondaAnswer
from freezer.flows.project.environment import place
from freezer.flows.project.spec_errors import errors_at
from freezer.image.layout import ENVIRONMENT
from freezer.model.canonical import plain
from freezer.model.events import PartOf
from freezer.model.lock import PythonTarget
from freezer.resolve.accelerator.conda import (
    conda_constraints,
    require_gpu_builds,
    virtual_packages,
)
from freezer.resolve.conda.environment import gather_conda
from freezer.resolve.conda.solver.virtual_packages import SUBDIRS
from freezer.resolve.minimal import settle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freezer.fetch.conda.channels import CondaChannel
    from freezer.fetch.config import Config
    from freezer.flows.lock.answers import Installed
    from freezer.flows.lock.request import LockRequest
    from freezer.flows.project.environment import Environment
    from freezer.flows.project.project import Project
    from freezer.model.lock import CondaPackage
    from freezer.model.spec.spec import CondaSpec
    from freezer.resolve.conda.environment import CondaRequirements
    from freezer.resolve.conda.solver.interface import CondaRequest, CondaResolution

_OTHER_PYTHON = re.compile(r"pypy|graalpy|cp3\d+t\b")
"""What the builds of Pythons other than plain CPython have in their names."""


def gathered_conda(environment: Environment, config: Config) -> dict[str, CondaRequirements]:
    """Return what the spec asks of conda by platform, its own first; empty without conda.

    Raises ``SpecError`` with its place.
    """
    spec = environment.spec
    if spec.conda is None:
        return {}
    return {
        platform: gather_conda(
            environment.spec_folder,
            spec.conda,
            spec.python,
            config=config,
            subdir=SUBDIRS[platform],
        )
        for platform in platforms_of(environment)
    }


def platforms_of(environment: Environment) -> tuple[str, ...]:
    """Return the platforms that conda packages are locked for, the environment's own first."""
    spec = environment.spec
    others = spec.conda.platforms if spec.conda else ()
    return tuple(dict.fromkeys((spec.platform, *sorted(others))))


def conda_question(
    environment: Environment, gathered: Mapping[str, CondaRequirements], glibc: str
) -> list[Any]:
    """Return all that the answer depends on but the channels' content; without secrets."""
    spec = environment.spec
    return [
        [[platform, item.lines] for platform, item in gathered.items()],
        _spec(environment).resolver,
        glibc,
        plain(spec.accelerator) if spec.accelerator else None,
        spec.blas,
    ]


def resolve_conda(
    project: Project,
    lock_request: LockRequest,
    gathered: Mapping[str, CondaRequirements],
    installed: Installed,
) -> CondaAnswer:
    """Return the packages that answer a spec's conda half on all its platforms.

    Raises ``ResolveError`` and ``FetchError``; for a lock that is taken over ``ArtifactGoneError``
    and ``IntegrityError``.
    """
    spec = lock_request.environment.spec
    with errors_at(lock_request.environment, "accelerator"):
        declared = virtual_packages(spec.accelerator, installed.glibc, SUBDIRS[spec.platform])
    found: dict[str, tuple[CondaPackage, ...]] = {}
    for warning in dict.fromkeys(text for item in gathered.values() for text in item.warnings):
        project.report.warn(warning)
    for platform, item in gathered.items():
        with errors_at(lock_request.environment, "conda"):
            found[platform] = _resolve(project, lock_request, platform, item, installed)
        if spec.accelerator is not None:
            require_gpu_builds(found[platform], item.specs)
    own = found.pop(spec.platform)
    return CondaAnswer(own, found, declared)


def conda_python(packages: Sequence[CondaPackage], environment: Environment) -> PythonTarget:
    """Return the Python that conda packages bring. Raises ``ResolveError`` for another or none."""
    python = next((item for item in packages if item.name == "python"), None)
    wanted = environment.spec.python
    if python is None or ".".join(python.version.split(".")[:2]) != wanted:
        raise ResolveError(
            f"the conda packages bring no Python {wanted}",
            where=place(environment, "python"),
            found=f"python {python.version} {python.build}" if python else "no python package",
            expected=f"python {wanted}",
            hint="set `python:` to what the environment has, or ask for another one",
        )
    if other := _OTHER_PYTHON.search(python.build):
        raise ResolveError(
            "the conda packages bring another Python than CPython",
            where=place(environment, "conda"),
            found=f"python {python.version} {python.build} ({other[0]})",
            expected="a build of CPython with its global interpreter lock",
            hint="ask for it by its build: `python=*=*cpython` or `python-gil`",
        )
    return PythonTarget(
        version=python.version,
        abi=f"cp{wanted.replace('.', '')}",
        executable=f"{ENVIRONMENT}/bin/python{wanted}",
    )


def channels_of(gathered: Mapping[str, CondaRequirements]) -> tuple[CondaChannel, ...]:
    """Return the channels of all platforms, each once, in the order of their priority."""
    found = {channel.name: channel for item in gathered.values() for channel in item.channels}
    return tuple(found.values())


def _resolve(
    project: Project,
    lock_request: LockRequest,
    platform: str,
    gathered: CondaRequirements,
    installed: Installed,
) -> tuple[CondaPackage, ...]:
    spec, subdir = lock_request.environment.spec, SUBDIRS[platform]
    if gathered.locked:
        from freezer.resolve.conda.takeover.complete import take_over

        taken = take_over(
            gathered.locked, subdir=subdir, store=project.store, report=project.report
        )
        return _said(project, taken)
    from freezer.resolve.conda.solver.interface import CondaConflictError, CondaRequest

    request = CondaRequest(
        channels=gathered.channels,
        specs=gathered.specs,
        subdir=subdir,
        virtual_packages=virtual_packages(spec.accelerator, installed.glibc, subdir),
        as_of=lock_request.as_of,
        keep=_kept(lock_request, platform),
        constraints=conda_constraints(spec.accelerator, spec.blas, gathered.specs),
    )
    try:
        answer = _solved(project, lock_request, platform, request)
    except CondaConflictError as error:
        from freezer.flows.lock.conda_alternatives import refused

        raise refused(project, lock_request.environment, request, error) from error
    return _said(project, answer)


def _solved(
    project: Project, lock_request: LockRequest, platform: str, request: CondaRequest
) -> CondaResolution:
    """Ask the solver; for an update as often as it takes to move no more than need be."""
    from freezer.resolve.conda.solver.choose import conda_solver
    from freezer.resolve.conda.specname import spec_name

    ask = conda_solver(_spec(lock_request.environment).resolver)
    release = lock_request.released("conda")
    old = _kept(lock_request, platform)
    if release is None or not old:
        return ask(request, config=project.config, store=project.store, report=project.report)

    kept = {name: package for name, package in old.items() if name not in release.names}

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
        asked = replace(request, keep=kept, constraints=(*request.constraints, *more))
        return ask(asked, config=project.config, store=project.store, report=quiet)

    quiet = PartOf(project.report)
    with project.report.task("Looking for the fewest conda packages to move"):
        settled = settle(
            release,
            {name: f"{package.version} {package.build}" for name, package in old.items()},
            {name: list(map(spec_name, package.depends)) for name, package in old.items()},
            solve,
            lambda found: {item.name: f"{item.version} {item.build}" for item in found.packages},
        )
    if platform == lock_request.environment.spec.platform:
        lock_request.causes["conda"] = dict(settled.refusals)
        lock_request.alone.update(settled.alone)
    return settled.answer


def _kept(lock_request: LockRequest, platform: str) -> dict[str, CondaPackage]:
    if lock_request.old is None:
        return {}
    own = platform == lock_request.old.platform
    packages = lock_request.old.conda if own else lock_request.old.conda_elsewhere.get(platform, ())
    return {package.name: package for package in packages}


def _said(project: Project, answer: CondaResolution) -> tuple[CondaPackage, ...]:
    for warning in answer.warnings:
        project.report.warn(warning)
    return answer.packages


def _spec(environment: Environment) -> CondaSpec:
    spec = environment.spec.conda
    assert spec is not None, "asked only where there is one"  # noqa: S101 - for the type checker
    return spec

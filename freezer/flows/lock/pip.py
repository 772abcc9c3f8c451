"""Resolver of the Python packages that pip installs, in addition to conda's."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from freezer.fetch.python.pages import IndexPages
from freezer.flows.lock.interface import PipAnswer, SpecLine
from freezer.flows.project.spec_errors import errors_at
from freezer.model.canonical import plain
from freezer.resolve.python.interface import PipRequest, Provided
from freezer.resolve.python.requirements.gather import PipRequirements, gather
from freezer.resolve.python.requirements.known_target import KnownTarget
from freezer.resolve.python.resolve import pip_question, relevant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from freezer.flows.lock.interface import Below, LockRequest
    from freezer.flows.project.environment import Environment
    from freezer.flows.project.project import Project
    from freezer.model.lock import CondaPackage, Lock, PipPackage, Target
    from freezer.resolve.conda.environment import CondaRequirements
    from freezer.resolve.python.git.requirement import GitRequirement
    from freezer.resolve.python.git.stand_ins import GitWheel
    from freezer.resolve.python.interface import PipRequirement
    from freezer.resolve.python.takeover.pins import LockedPackages


@dataclass(frozen=True)
class PipPackagesResolver:
    """See `freezer.flows.lock.interface.EcosystemResolver`."""

    requirements: PipRequirements = field(default_factory=PipRequirements)
    pages: IndexPages = field(default_factory=IndexPages)
    name: ClassVar[str] = "pip"
    stale: ClassVar[str] = "the spec requests other Python packages, or another way to resolve them"

    def question(self, request: LockRequest, below: Below) -> list[Any]:
        """Return the requirements, the target and the constraints."""
        spec, pip = request.environment.spec, self.requirements
        question: list[Any] = [pip_question(pip, spec.pip, below.target)]
        if below.conda.packages:
            there = relevant(pip.requirements, provided_by(below.conda.packages))
            question.append({name: [item.package, item.version] for name, item in there.items()})
        if spec.accelerator is not None and pip.requirements:
            question.append(plain(spec.accelerator))
        if spec.blas is not None:
            question.append(spec.blas)
        return question

    def locked(self, lock: Lock) -> PipAnswer:
        """Return the result in a lock."""
        return PipAnswer(packages=lock.pip, overrides=lock.overrides)

    def resolve(self, project: Project, request: LockRequest, below: Below) -> PipAnswer:
        """Return the packages to install, without any that conda provides.

        Raises ``ResolveError`` without a solution.
        """
        from freezer.resolve.python.git.stand_ins import from_git, with_git
        from freezer.resolve.python.resolve import require_no_project, require_python, resolve_pip
        from freezer.resolve.python.update import update_pip

        resolver = request.environment.spec.pip.resolver
        require_python(self.requirements, below.target)
        for warning in self.requirements.warnings:
            project.report.warn(warning)
        wanted = self._request(project, request, below.target, below.conda.packages)
        release, old, store = request.released("pip"), request.old, project.store
        if self.requirements.locked is not None:
            locked = self.requirements.locked
            packages = _taken_over(project, locked, wanted, below)
            return PipAnswer(packages=packages, overrides=locked.overrides)
        wheels = _git_wheels(project, self.requirements.git, wanted, below)
        with with_git(wanted, wheels, store) as with_wheels:
            if release is None or old is None:
                found = resolve_pip(with_wheels, resolver, store=store, report=project.report)
            else:
                found = update_pip(
                    with_wheels, resolver, release, old.pip, store=store, report=project.report
                )
        found = from_git(found, wheels)
        require_no_project(self.requirements, found.packages)
        for warning in found.warnings:
            project.report.warn(warning)
        return PipAnswer(
            packages=found.packages,
            overrides=tuple(sorted({item.name for item in self.requirements.overrides})),
            causes=found.causes,
            alone=found.alone,
        )

    def spec_lines(self, request: LockRequest, lock: Lock, name: str) -> Iterator[SpecLine]:
        """Yield the requirements and constraints on a package that apply to the lock's target."""
        del request
        pip = self.requirements
        for constraint, lines in ((False, pip.requirements), (True, pip.constraints)):
            for item in lines:
                if item.name == name and item.applies(lock.target):
                    yield SpecLine(item.where, str(item.requirement), constraint)

    def limits(
        self, project: Project, request: LockRequest, lock: Lock, names: Iterable[str]
    ) -> Iterator[tuple[str, str, str | None, str]]:
        """Yield newer versions on the indexes, and the range that excludes each."""
        from freezer.resolve.python.update_causes import why_not_newer

        wanted = set(names)
        mine = [item for item in lock.pip if item.name in wanted]
        if mine:
            pip = self._request(project, request, lock.target, lock.conda)
            for package in mine:
                newest, why = why_not_newer(package, lock.pip, pip)
                yield package.name, package.version, newest, why

    def _request(
        self, project: Project, request: LockRequest, target: Target, conda: Sequence[CondaPackage]
    ) -> PipRequest:
        """Return the request for the Python resolvers."""
        from freezer.fetch.python.settings import indexes, with_options

        old, spec, pip = request.old, request.environment.spec, self.requirements
        return PipRequest(
            target=target,
            requirements=tuple(pip.requirements),
            as_of=request.as_of,
            indexes=with_options(indexes(project.config), pip.options),
            constraints=(*pip.constraints, *_accelerator_constraints(project, request, pip)),
            overrides=tuple(pip.overrides),
            keep={item.name: item.version for item in old.pip} if old else {},
            allow_sdist=frozenset(map(canonicalize_name, spec.pip.allow_sdist)),
            prereleases=pip.prereleases,
            newer={name: newer.as_of for name, newer in request.exceptions.items()},
            provided=provided_by(conda),
            pages=self.pages,
        )


def _git_wheels(
    project: Project, requirements: Sequence[GitRequirement], request: PipRequest, below: Below
) -> list[GitWheel]:
    """Build and return the git requirements. Raises ``FetchError``, ``BuildError``."""
    if not requirements:
        return []
    from freezer.flows.lock.source.git import build_git_wheels

    return build_git_wheels(project, requirements, request, below)


def _taken_over(
    project: Project, locked: LockedPackages, request: PipRequest, below: Below
) -> tuple[PipPackage, ...]:
    """Return the packages of an existing lock for the request's target, and a pip, by name.

    Raises ``SpecError`` for packages that cannot be used, ``ResolveError`` for a lock of another
    target, ``IntegrityError``, ``FetchError``.
    """
    from freezer.fetch.python.settings import indexes
    from freezer.resolve.python.resolve import resolve_pip
    from freezer.resolve.python.takeover.complete import import_runs
    from freezer.resolve.python.uv.resolver import UvResolver

    def build(wanted: PipRequest) -> tuple[PipPackage, ...]:
        return UvResolver().resolve(wanted, store=project.store, report=project.report).packages

    pins = locked.pins(request.target)
    built = _git_wheels(project, [pin.git for pin in pins if pin.git], request, below)
    wheels = {wheel.package.name: wheel for wheel in built}
    with project.report.task(f"Importing the Python packages of {locked.shown}"):
        taken = import_runs(pins, request, project.store, build, wheels)
    if any(item.name == "pip" for item in taken):
        return taken
    # The lock's indexes are for the lock's packages: pip comes from the configured ones.
    alone = replace(request, requirements=(), constraints=(), indexes=indexes(project.config))
    own = resolve_pip(alone, "uv", store=project.store, report=project.report).packages
    return tuple(sorted((*taken, *own), key=lambda item: item.name))


def read_pip(environment: Environment, conda: Mapping[str, CondaRequirements]) -> PipRequirements:
    """Return the spec's pip requirements, with those of its ``environment.yml``.

    Raises ``SpecError`` with the location.
    """
    spec = environment.spec
    own = conda.get(spec.platform)
    known = KnownTarget.of(spec.platform, spec.python)
    with errors_at(environment, "pip"):
        return gather(
            environment.spec_folder,
            spec.pip,
            own.pip if own else (),
            own.pip_folder if own else None,
            own.locked_pip if own else None,
            known,
        )


def provided_by(conda: Sequence[CondaPackage]) -> dict[str, Provided]:
    """Return the Python packages in conda packages, by normalised name."""
    if not conda:
        return {}
    from freezer.resolve.conda.names import provided_by_conda

    return {
        name: Provided(
            version=version or _comparable(package.version).public,
            package=package.name,
            by=f"conda's {package.name} {package.version} {package.build} ({package.reason})",
        )
        for name, (package, version) in provided_by_conda(conda).items()
    }


def _comparable(version: str) -> Version:
    """Return a PEP 440 version; 0 for packages with another version scheme."""
    try:
        return Version(version)
    except InvalidVersion:
        return Version("0")


def _accelerator_constraints(
    project: Project, request: LockRequest, pip: PipRequirements
) -> tuple[PipRequirement, ...]:
    """Return the constraints of ``accelerator:``, from the indexes' contents."""
    accelerator = request.environment.spec.accelerator
    if accelerator is None or not pip.requirements:
        return ()
    from freezer.fetch.python.index import PythonIndex
    from freezer.resolve.accelerator.available import offered_torch, toolkit_requirements
    from freezer.resolve.accelerator.pip import pip_rules

    index = PythonIndex.from_config(project.config, pip.options)
    with errors_at(request.environment, "accelerator"):
        rules = pip_rules(
            accelerator,
            pip.requirements,
            torch=offered_torch(index, request.as_of),
            toolkits=toolkit_requirements(index, accelerator.cuda, request.as_of, project.store),
        )
    for warning in rules.warnings:
        project.report.warn(warning)
    return rules.constraints

"""The Python packages of an environment, beside those that conda brings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from freezer.errors import ResolveError, Where
from freezer.fetch.python.index import PythonIndex
from freezer.fetch.python.settings import indexes, with_options
from freezer.flows.lock.python_request import provided_by
from freezer.flows.project.spec_errors import errors_at
from freezer.model.events import PartOf
from freezer.resolve.minimal import settle
from freezer.resolve.python.interface import PipRequest, PipRequirement
from freezer.resolve.python.resolve import (
    open_query,
    require_no_project,
    require_python,
    resolve_pip,
)
from freezer.resolve.python.update_causes import newer_release, why_moved

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freezer.flows.lock.request import LockRequest
    from freezer.flows.project.project import Project
    from freezer.model.lock import CondaPackage, PipPackage, Target
    from freezer.resolve.python.interface import Resolution
    from freezer.resolve.python.requirements.gather import PipRequirements
    from freezer.resolve.python.takeover.pins import LockedPackages

_UPDATE = Where("freeze update")


def resolve_python(
    project: Project,
    lock_request: LockRequest,
    gathered: PipRequirements,
    target: Target,
    conda: Sequence[CondaPackage],
) -> tuple[PipPackage, ...]:
    """Return the locked Python packages: never one that conda brings.

    Raises ``SpecError`` for requirements that cannot be read, ``ResolveError`` where nothing
    answers them.
    """
    require_python(gathered, target)
    for warning in gathered.warnings:
        project.report.warn(warning)
    request = python_request(project, lock_request, gathered, target, conda)
    if gathered.locked is not None:
        return _taken_over(project, gathered.locked, request)
    resolution = _resolve(project, lock_request, request)
    require_no_project(gathered, resolution.packages)
    for warning in resolution.warnings:
        project.report.warn(warning)
    return resolution.packages


def python_request(
    project: Project,
    lock_request: LockRequest,
    gathered: PipRequirements,
    target: Target,
    conda: Sequence[CondaPackage],
) -> PipRequest:
    """Return the question as resolvers take it."""
    old, spec = lock_request.old, lock_request.environment.spec
    return PipRequest(
        target=target,
        requirements=tuple(gathered.requirements),
        as_of=lock_request.as_of,
        indexes=with_options(indexes(project.config), gathered.options),
        constraints=(*gathered.constraints, *_of_accelerator(project, lock_request, gathered)),
        overrides=tuple(gathered.overrides),
        keep={item.name: item.version for item in old.pip} if old else {},
        allow_sdist=frozenset(map(canonicalize_name, spec.pip.allow_sdist)),
        prereleases=gathered.prereleases,
        newer={name: newer.as_of for name, newer in lock_request.exceptions.items()},
        provided=provided_by(conda),
    )


def _taken_over(
    project: Project, locked: LockedPackages, request: PipRequest
) -> tuple[PipPackage, ...]:
    """Return the packages of an existing lock for the request's target, and a pip, by name.

    Raises ``SpecError`` for packages that cannot be taken over, ``ResolveError`` for a lock of
    another target, ``IntegrityError``, ``FetchError``.
    """
    from freezer.resolve.python.takeover.complete import take_over
    from freezer.resolve.python.uv.resolver import UvResolver

    def build(wanted: PipRequest) -> tuple[PipPackage, ...]:
        return UvResolver().resolve(wanted, store=project.store, report=project.report).packages

    with project.report.task(f"Taking over the Python packages of {locked.shown}"):
        taken = take_over(locked.pins(request.target), request, project.store, build)
    if any(item.name == "pip" for item in taken):
        return taken
    # The lock's indexes are for the lock's packages: pip comes from the configured ones.
    alone = replace(request, requirements=(), constraints=(), indexes=indexes(project.config))
    own = resolve_pip(alone, "uv", store=project.store, report=project.report).packages
    return tuple(sorted((*taken, *own), key=lambda item: item.name))


def _resolve(project: Project, lock_request: LockRequest, request: PipRequest) -> Resolution:
    """Ask the resolver; for an update as often as it takes to move no more than need be."""
    release, resolver = lock_request.released("pip"), lock_request.environment.spec.pip.resolver
    if release is None or lock_request.old is None:
        return resolve_pip(request, resolver, store=project.store, report=project.report)
    old = {item.name: item.version for item in lock_request.old.pip}
    kept = {name: version for name, version in old.items() if name not in release.names}
    stable = not any(Version(text).is_prerelease for text in old.values())
    index = PythonIndex(request.indexes)
    quiet = PartOf(project.report)
    with (
        project.report.task("Looking for the fewest Python packages to move"),
        open_query(request, resolver, store=project.store, report=quiet) as pip,
    ):

        def solve(
            *,
            held: frozenset[str],
            pins: Mapping[str, str],
            floors: Mapping[str, str],
            above: tuple[str, str] | None = None,
        ) -> dict[str, str]:
            exact = {**{name: old[name] for name in held}, **pins}
            more = [_exactly(*item) for item in sorted(exact.items())]
            more += [_least(n, v) for n, v in floors.items() if n not in exact]
            if above is not None:
                _require_newer(index, request, *above)
                more.append(_above(*above))
            # Only where nothing else answers: not to go further, nor to move less.
            undated = not held and above is None
            return pip.versions(kept, more, stable=stable, undated=undated)

        needs = {item.name: item.requires for item in lock_request.old.pip}
        settled = settle(release, old, needs, solve, lambda found: found)
        found = {name: version for name, version in settled.answer.items() if version}
        resolution = pip.packages(found, [_exactly(*item) for item in found.items()])
    lock_request.causes["pip"] = {
        **settled.refusals,
        **why_moved(lock_request.old.pip, resolution.packages, request),
    }
    lock_request.alone.update(settled.alone)
    return resolution


def _require_newer(index: PythonIndex, request: PipRequest, name: str, version: str) -> None:
    """Save a resolver the question whether there is more of a package where there is nothing."""
    if newer_release(index, request, name, version, request.cut_off(name)) is None:
        raise ResolveError(f"there is nothing newer than {name} {version}")


def _exactly(name: str, version: str) -> PipRequirement:
    return PipRequirement(Requirement(f"{name}=={version}"), _UPDATE)


def _least(name: str, version: str) -> PipRequirement:
    return PipRequirement(Requirement(f"{name}>={Version(version).public}"), _UPDATE)


def _above(name: str, version: str) -> PipRequirement:
    # `>1.0` would leave out 1.0.post1; and a local version has no place in a range.
    public = Version(version).public
    return PipRequirement(Requirement(f"{name}>={public},!={public}"), _UPDATE)


def _of_accelerator(
    project: Project, lock_request: LockRequest, gathered: PipRequirements
) -> tuple[PipRequirement, ...]:
    """Return what ``accelerator:`` makes of the question; the indexes say what there is."""
    accelerator = lock_request.environment.spec.accelerator
    if accelerator is None or not gathered.requirements:
        return ()
    from freezer.resolve.accelerator.offer import offered_torch, toolkit_requirements
    from freezer.resolve.accelerator.pip import pip_rules

    index = PythonIndex(with_options(indexes(project.config), gathered.options))
    with errors_at(lock_request.environment, "accelerator"):
        rules = pip_rules(
            accelerator,
            gathered.requirements,
            torch=offered_torch(index, lock_request.as_of),
            toolkits=toolkit_requirements(
                index, accelerator.cuda, lock_request.as_of, project.store
            ),
        )
    for warning in rules.warnings:
        project.report.warn(warning)
    return rules.constraints

"""The Python packages of an environment, beside those that conda brings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.version import Version

from freezer.errors import ResolveError, Where
from freezer.fetch.python.index import PythonIndex
from freezer.fetch.python.settings import indexes, with_options
from freezer.flows.lock.python_request import held_by
from freezer.flows.project.spec_errors import placed
from freezer.model.events import PartOf
from freezer.model.spec.spec import normalize_package
from freezer.resolve.minimal import settle
from freezer.resolve.python.interface import Asked, PipRequest
from freezer.resolve.python.resolve import asking_pip, demand_python, resolve_pip
from freezer.resolve.python.update_causes import newer_release, why_moved

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freezer.flows.lock.request import Asking
    from freezer.flows.project.workshop import Workshop
    from freezer.model.lock import CondaPackage, PipPackage, Target
    from freezer.resolve.python.interface import Resolution
    from freezer.resolve.python.requirements.gather import Gathered

_UPDATE = Where("freeze update")


def resolve_python(
    workshop: Workshop,
    asking: Asking,
    gathered: Gathered,
    target: Target,
    conda: Sequence[CondaPackage],
) -> tuple[PipPackage, ...]:
    """Return the locked Python packages: never one that conda brings.

    Raises ``SpecError`` for requirements that cannot be read, ``ResolveError`` where nothing
    answers them.
    """
    demand_python(gathered, target)
    for warning in gathered.warnings:
        workshop.report.warn(warning)
    request = python_request(workshop, asking, gathered, target, conda)
    resolution = _resolve(workshop, asking, request)
    for warning in resolution.warnings:
        workshop.report.warn(warning)
    return resolution.packages


def python_request(
    workshop: Workshop,
    asking: Asking,
    gathered: Gathered,
    target: Target,
    conda: Sequence[CondaPackage],
) -> PipRequest:
    """Return the question as resolvers take it."""
    old, spec = asking.old, asking.environment.spec
    return PipRequest(
        target=target,
        asked=tuple(gathered.asked),
        as_of=asking.as_of,
        indexes=with_options(indexes(workshop.config), gathered.options),
        constraints=(*gathered.constraints, *_of_accelerator(workshop, asking, gathered)),
        keep={item.name: item.version for item in old.pip} if old else {},
        allow_sdist=frozenset(map(normalize_package, spec.pip.allow_sdist)),
        prereleases=gathered.prereleases,
        newer={name: newer.as_of for name, newer in asking.exceptions.items()},
        held=held_by(conda),
    )


def _resolve(workshop: Workshop, asking: Asking, request: PipRequest) -> Resolution:
    """Ask the resolver; for an update as often as it takes to move no more than need be."""
    release, resolver = asking.released("pip"), asking.environment.spec.pip.resolver
    if release is None or asking.old is None:
        return resolve_pip(request, resolver, store=workshop.store, report=workshop.report)
    old = {item.name: item.version for item in asking.old.pip}
    kept = {name: version for name, version in old.items() if name not in release.names}
    stable = not any(Version(text).is_prerelease for text in old.values())
    index = PythonIndex(request.indexes)
    quiet = PartOf(workshop.report)
    with (
        workshop.report.task("Looking for the fewest Python packages to move"),
        asking_pip(request, resolver, store=workshop.store, report=quiet) as pip,
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
                _demand_newer(index, request, *above)
                more.append(_above(*above))
            # Only where nothing else answers: not to go further, nor to move less.
            undated = not held and above is None
            return pip.versions(kept, more, stable=stable, undated=undated)

        needs = {item.name: item.requires for item in asking.old.pip}
        settled = settle(release, old, needs, solve, lambda found: found)
        found = {name: version for name, version in settled.answer.items() if version}
        resolution = pip.packages(found, [_exactly(*item) for item in found.items()])
    asking.causes["pip"] = {
        **settled.refusals,
        **why_moved(asking.old.pip, resolution.packages, request),
    }
    asking.alone.update(settled.alone)
    return resolution


def _demand_newer(index: PythonIndex, request: PipRequest, name: str, version: str) -> None:
    """Save a resolver the question whether there is more of a package where there is nothing."""
    if newer_release(index, request, name, version, request.cut_off(name)) is None:
        raise ResolveError(f"there is nothing newer than {name} {version}")


def _exactly(name: str, version: str) -> Asked:
    return Asked(Requirement(f"{name}=={version}"), _UPDATE)


def _least(name: str, version: str) -> Asked:
    return Asked(Requirement(f"{name}>={Version(version).public}"), _UPDATE)


def _above(name: str, version: str) -> Asked:
    # `>1.0` would leave out 1.0.post1; and a local version has no place in a range.
    public = Version(version).public
    return Asked(Requirement(f"{name}>={public},!={public}"), _UPDATE)


def _of_accelerator(workshop: Workshop, asking: Asking, gathered: Gathered) -> tuple[Asked, ...]:
    """Return what ``accelerator:`` makes of the question; the indexes say what there is."""
    accelerator = asking.environment.spec.accelerator
    if accelerator is None or not gathered.asked:
        return ()
    from freezer.resolve.accelerator.offer import offered_torch, toolkit_requirements
    from freezer.resolve.accelerator.pip import pip_rules

    index = PythonIndex(with_options(indexes(workshop.config), gathered.options))
    with placed(asking.environment, "accelerator"):
        rules = pip_rules(
            accelerator,
            gathered.asked,
            torch=offered_torch(index, asking.as_of),
            toolkits=toolkit_requirements(index, accelerator.cuda, asking.as_of, workshop.store),
        )
    for warning in rules.warnings:
        workshop.report.warn(warning)
    return rules.constraints

"""The Python packages of an environment, beside those that conda brings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.version import Version

from freezer.errors import Where
from freezer.fetch.indexes import indexes, with_options
from freezer.fetch.pypi import PythonIndex
from freezer.flows.asked import held_by
from freezer.flows.placed import placed
from freezer.model.spec import normalize_package
from freezer.resolve.causes import why_moved
from freezer.resolve.interface import Asked, PipRequest
from freezer.resolve.minimal import settle
from freezer.resolve.pip import demand_python, resolve_pip

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freezer.flows.asking import Asking
    from freezer.flows.sources import Workshop
    from freezer.model.lock import CondaPackage, PipPackage, Target
    from freezer.resolve.interface import Resolution
    from freezer.resolve.requirements import Gathered


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

    def solve(*, held: frozenset[str], pins: Mapping[str, str], fresh: bool = False) -> Resolution:
        fixed = {**{name: old[name] for name in sorted(held)}, **pins}
        keep = {n: v for n, v in old.items() if n not in release.names and not fresh}
        asked = replace(
            request,
            keep=keep,
            constraints=(*request.constraints, *(_held(*item) for item in fixed.items())),
        )
        return resolve_pip(asked, resolver, store=workshop.store, report=workshop.report)

    settled = settle(
        release,
        old,
        solve,
        lambda found: {item.name: item.version for item in found.packages},
        Version,
    )
    found = settled.answer.packages
    asking.causes["pip"] = {
        **settled.refusals,
        **why_moved(asking.old.pip, found, request),
    }
    return settled.answer


def _held(name: str, version: str) -> Asked:
    return Asked(Requirement(f"{name}=={version}"), Where("freeze update"))


def _of_accelerator(workshop: Workshop, asking: Asking, gathered: Gathered) -> tuple[Asked, ...]:
    """Return what ``accelerator:`` makes of the question; the indexes say what there is."""
    accelerator = asking.environment.spec.accelerator
    if accelerator is None:
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

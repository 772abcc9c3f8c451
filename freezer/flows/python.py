"""The Python packages of an environment, and what in it all does the arithmetic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.fetch.indexes import indexes, with_options
from freezer.fetch.pypi import PythonIndex
from freezer.model.spec import normalize_package
from freezer.resolve.components import wheel_components
from freezer.resolve.interface import PipRequest
from freezer.resolve.pip import demand_python, resolve_pip
from freezer.resolve.requirements import gather
from freezer.resolve.system_components import system_components

if TYPE_CHECKING:
    from freezer.flows.asking import Asking
    from freezer.flows.installed import Installed
    from freezer.flows.sources import Workshop
    from freezer.model.lock import Base, Component, PipPackage


def resolve_python(
    workshop: Workshop, asking: Asking, base: Base, installed: Installed, *, kept: bool
) -> tuple[tuple[PipPackage, ...], tuple[Component, ...]]:
    """Return the locked Python packages, and the components of the whole environment.

    Raises ``SpecError`` for requirements that cannot be read, ``ResolveError`` where nothing
    answers them.
    """
    environment, old = asking.environment, asking.old
    gathered = gather(environment.spec_folder, environment.spec.pip)
    demand_python(gathered, installed.target)
    where = with_options(indexes(workshop.config), gathered.options)
    if kept and old is not None:
        packages = old.pip
    else:
        for warning in gathered.warnings:
            workshop.report.warn(warning)
        request = PipRequest(
            target=installed.target,
            asked=tuple(gathered.asked),
            as_of=asking.as_of,
            indexes=where,
            constraints=tuple(gathered.constraints),
            keep={item.name: item.version for item in old.pip} if old else {},
            allow_sdist=frozenset(map(normalize_package, environment.spec.pip.allow_sdist)),
            prereleases=gathered.prereleases,
        )
        resolution = resolve_pip(
            request, environment.spec.pip.resolver, store=workshop.store, report=workshop.report
        )
        for warning in resolution.warnings:
            workshop.report.warn(warning)
        packages = resolution.packages
    wheels = wheel_components(
        packages,
        target=installed.target,
        index=PythonIndex(where),
        store=workshop.store,
        report=workshop.report,
    )
    system = system_components(installed.target, base, installed.packages)
    return packages, tuple(sorted((*system, *wheels), key=lambda item: (item.role, item.provider)))

"""Numeric libraries of all ecosystems, compared with what the spec declares.

``accelerator:`` and ``blas:`` constrain every ecosystem before it is resolved. Here all results are
checked together, for conflicts that no single ecosystem can see.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.flows.project.spec_errors import errors_at
from freezer.resolve.accelerator.check import check_locked, locked_accelerator
from freezer.resolve.components.blas import check_blas
from freezer.resolve.components.conda import conda_components
from freezer.resolve.components.system import system_components
from freezer.resolve.components.wheels import wheel_components

if TYPE_CHECKING:
    from freezer.fetch.python.settings import IndexOptions
    from freezer.flows.lock.interface import Resolved
    from freezer.flows.project.environment import Environment
    from freezer.flows.project.project import Project
    from freezer.model.lock import Accelerator, Component
    from freezer.resolve.python.requirements.gather import PipRequirements


def numeric_libraries(
    project: Project, environment: Environment, resolved: Resolved, requirements: PipRequirements
) -> tuple[tuple[Component, ...], Accelerator | None]:
    """Return the components of an environment, and the accelerator if declared.

    Issues warnings. Raises ``ResolveError`` when the environment would use other libraries than
    declared.
    """
    components = _components(project, resolved, requirements.options)
    spec, accelerator, warnings = environment.spec, None, list[str]()
    if spec.accelerator is not None:
        packages = (resolved.pip.packages, resolved.conda.packages)
        with errors_at(environment, "accelerator"):
            warnings += check_locked(*packages, spec.accelerator, requirements.requirements)
        accelerator = locked_accelerator(*packages, spec.accelerator)
    if spec.blas is not None:
        system = (*resolved.base.packages, *resolved.debian)
        with errors_at(environment, "blas"):
            warnings += check_blas(
                spec.blas,
                debian=[item.name for item in system],
                conda=resolved.conda.packages,
                pip=resolved.pip.packages,
                components=components,
            )
    for warning in warnings:
        project.report.warn(warning)
    return components, accelerator


def _components(
    project: Project, resolved: Resolved, options: IndexOptions
) -> tuple[Component, ...]:
    wheels = _of_wheels(project, resolved, options) if resolved.pip.packages else ()
    system = system_components(resolved.target, resolved.base, resolved.debian)
    conda = conda_components(resolved.conda.packages)
    if conda:
        system = tuple(item for item in system if item.role != "python")
    every = (*system, *conda, *wheels)
    return tuple(sorted(every, key=lambda item: (item.role, item.provider)))


def _of_wheels(
    project: Project, resolved: Resolved, options: IndexOptions
) -> tuple[Component, ...]:
    from freezer.fetch.python.index import PythonIndex

    return wheel_components(
        resolved.pip.packages,
        target=resolved.target,
        index=PythonIndex.from_config(project.config, options),
        store=project.store,
        report=project.report,
    )

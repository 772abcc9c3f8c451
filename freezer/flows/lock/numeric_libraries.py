"""What does the arithmetic in a set of answers: told by name, and compared with what is asked for.

``accelerator:`` and ``blas:`` are constraints in every ecosystem before it is resolved; here all
ecosystems are looked at together, for what no single one of them could see.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from freezer.fetch.python.index import PythonIndex
from freezer.fetch.python.settings import indexes, with_options
from freezer.flows.project.spec_errors import errors_at
from freezer.resolve.accelerator.check import check_locked, locked_accelerator
from freezer.resolve.components.blas import check_blas
from freezer.resolve.components.conda import conda_components
from freezer.resolve.components.system import system_components
from freezer.resolve.components.wheels import wheel_components

if TYPE_CHECKING:
    from freezer.flows.lock.answers import Answers
    from freezer.flows.project.environment import Environment
    from freezer.flows.project.project import Project
    from freezer.model.lock import Component
    from freezer.resolve.python.requirements.gather import PipRequirements


def arithmetic(
    project: Project, environment: Environment, ecosystems: Answers, asked: PipRequirements
) -> Answers:
    """Return the answers with their components and accelerator.

    Warns of what the user should know. Raises ``ResolveError`` where the environment would not
    compute with what the spec asks for.
    """
    components = _components(project, ecosystems, asked)
    spec, accelerator, warnings = environment.spec, None, list[str]()
    if spec.accelerator is not None:
        packages = (ecosystems.pip, ecosystems.conda.packages)
        with errors_at(environment, "accelerator"):
            warnings += check_locked(*packages, spec.accelerator, asked.requirements)
        accelerator = locked_accelerator(*packages, spec.accelerator)
    if spec.blas is not None:
        with errors_at(environment, "blas"):
            warnings += check_blas(
                spec.blas,
                debian=[item.name for item in (*ecosystems.base.packages, *ecosystems.debian)],
                conda=ecosystems.conda.packages,
                pip=ecosystems.pip,
                components=components,
            )
    for warning in warnings:
        project.report.warn(warning)
    return replace(ecosystems, components=components, accelerator=accelerator)


def _components(
    project: Project, ecosystems: Answers, asked: PipRequirements
) -> tuple[Component, ...]:
    wheels = wheel_components(
        ecosystems.pip,
        target=ecosystems.target,
        index=PythonIndex(with_options(indexes(project.config), asked.options)),
        store=project.store,
        report=project.report,
    )
    system = system_components(ecosystems.target, ecosystems.base, ecosystems.debian)
    conda = conda_components(ecosystems.conda.packages)
    if conda:
        system = tuple(item for item in system if item.role != "python")
    every = (*system, *conda, *wheels)
    return tuple(sorted(every, key=lambda item: (item.role, item.provider)))

"""Why a package that an update names is not newer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.ecosystems import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.flows.lock.ecosystems import SpecRequirements
    from freezer.flows.lock.interface import LockRequest
    from freezer.flows.project.project import Project
    from freezer.flows.update.targets import Named
    from freezer.model.lock import Lock


@dataclass(frozen=True)
class Limit:
    """The version that a named package reached, and why none higher."""

    name: str
    version: str
    newest: str | None
    """A newer version that there is for the target; None when it has the newest one."""
    why: str


def limits(
    project: Project,
    request: LockRequest,
    requirements: SpecRequirements,
    made: Lock,
    named: Sequence[Named],
) -> tuple[Limit, ...]:
    """Return why each named package is not newer; of those without a version of their own."""
    wanted = [item.name for item in named if item.version is None]
    return tuple(
        Limit(*limit)
        for resolver in requirements.resolvers()
        for limit in resolver.limits(
            project, request, made, map(BY_NAME[resolver.name].own_name, wanted)
        )
    )

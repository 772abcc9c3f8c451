"""What keeps a package that an update names from going further."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from freezer.flows.lock.ecosystems import gathered_python

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.flows.lock.request import LockRequest
    from freezer.flows.project.project import Project
    from freezer.flows.update.targets import Named
    from freezer.model.lock import Lock


@dataclass(frozen=True)
class Limit:
    """Where a named package stands, and why not further."""

    name: str
    version: str
    newest: str | None
    """A newer version that there is for the target; None when it has the newest one."""
    why: str


def limits(
    project: Project, lock_request: LockRequest, made: Lock, named: Sequence[Named]
) -> tuple[Limit, ...]:
    """Return why each named package is not newer; of those without a version of their own.

    Of Debian and conda packages the cut-off alone is told: their solvers take the newest that fits.
    """
    found = []
    wanted = {item.name for item in named if item.version is None}
    system = [(item.name, item.version) for item in made.debian]
    system += [(item.name, f"{item.version} {item.build}") for item in made.conda]
    for name, version in system:
        if name in wanted:
            why = f"it is the newest that fits as of {made.as_of}"
            found.append(Limit(name, version, None, why))
    python = {canonicalize_name(name) for name in wanted}
    mine = [item for item in made.pip if item.name in python]
    if not mine:
        return tuple(found)
    from freezer.flows.lock.python import python_request
    from freezer.resolve.python.update_causes import why_not_newer

    gathered = gathered_python(project, lock_request.environment)
    request = python_request(project, lock_request, gathered, made.target, made.conda)
    for package in mine:
        newest, why = why_not_newer(package, made.pip, request)
        found.append(Limit(package.name, package.version, newest, why))
    return tuple(found)

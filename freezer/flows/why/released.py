"""What would happen if a locked package were released: the update of it, made and thrown away."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from freezer.errors import FreezerError
from freezer.model.events import SilentReporter

if TYPE_CHECKING:
    from freezer.flows.project.project import Project
    from freezer.flows.update.moves import Move
    from freezer.history.numbers import ChangedNumbers
    from freezer.model.lock import Lock


@dataclass(frozen=True)
class Released:
    """What moves when a package is released up to the lock's cut-off."""

    moves: tuple[Move, ...] = ()
    alone: str | None = None
    """Where it goes if nothing else is to move; None where that is not known."""
    limit: str | None = None
    """What keeps it from going further, where that is known."""
    numbers: tuple[ChangedNumbers, ...] = ()
    """Operations that are measured to give other numbers then."""
    why_not: str | None = None
    """Why it could not be found out; None when it was."""


def released(project: Project, lock: Lock, name: str) -> Released:
    """Return what `freeze update` of one package would move, up to the cut-off. Writes nothing."""
    from freezer.flows.update.update import UpdateRequest, update  # it loads every resolver

    quiet = replace(project, report=SilentReporter())
    request = UpdateRequest((name,), as_of=lock.as_of, dry_run=True)
    with project.report.task(f"Looking for what would move with {name}"):
        try:
            found = update(quiet, lock.name, request)
        except FreezerError as error:
            return Released(why_not=error.what)
    limit = next((one.why for one in found.limits if one.name == name), None)
    return Released(found.moves, found.alone.get(name), limit, found.numbers)

"""``freeze check --all --dry-run``: the locks that would be checked, and where images come from.

No lock is read and nothing is written: the history and one list of the engine's images are enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from freezer.errors import HistoryError, Where
from freezer.flows.history.generations import history
from freezer.flows.history.log import environment_name
from freezer.flows.rollback.earlier_image import known_place
from freezer.image.layout import LOCK_LABEL

if TYPE_CHECKING:
    from freezer.flows.project.project import Project
    from freezer.history.log import History
    from freezer.model.generation import Generation

Source = Literal["here", "pulled", "rebuilt"]
"""Where an image would come from; the words of `EarlierImage.how`."""


@dataclass(frozen=True)
class PlannedCheck:
    """A lock that would be checked."""

    generations: tuple[Generation, ...]
    """The generations with this lock, oldest first."""
    source: Source
    place: str | None = None
    """The name in a registry from which the image would be pulled."""


@dataclass(frozen=True)
class PlannedChecks:
    """The checks of an environment's earlier locks that would be made, oldest first."""

    name: str
    checks: tuple[PlannedCheck, ...]


def plan_all(project: Project, name: str | None, *, since: str | None = None) -> PlannedChecks:
    """Return what `check_all` would check. Raises ``HistoryError``, and ``EngineError``."""
    chosen = environment_name(project, name)
    past = history(project, chosen)
    by_lock = generations_by_lock(chosen, past, since)
    images = project.engine().images(label=LOCK_LABEL)
    here = {image.id: image.labels.get(LOCK_LABEL) for image in images}
    built = frozenset(here.values())
    checks = []
    for lock_id, generations in by_lock.items():
        recorded = past.images(lock_id)
        present = any(here.get(image) == lock_id for image in recorded)
        if present or (not recorded and lock_id in built):
            checks.append(PlannedCheck(generations, "here"))
            continue
        place = known_place(project, recorded)
        checks.append(PlannedCheck(generations, "pulled" if place else "rebuilt", place))
    return PlannedChecks(chosen, tuple(checks))


def generations_by_lock(
    name: str, past: History, since: str | None
) -> dict[str, tuple[Generation, ...]]:
    """Return all generations of the locks that were current since a time, by lock ID.

    Raises ``HistoryError`` where there is none.
    """
    wanted = {one.lock_id for one in past.generations if since is None or one.date >= since}
    if not wanted:
        raise HistoryError(
            f"{name} has no generation since {since}" if since else f"{name} has no generation",
            where=Where(past.shown),
            hint="`freeze log` lists them",
        )
    found: dict[str, list[Generation]] = {}
    for one in past.generations:
        if one.lock_id in wanted:
            found.setdefault(one.lock_id, []).append(one)
    return {lock_id: tuple(generations) for lock_id, generations in found.items()}

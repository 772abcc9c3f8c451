"""Plans a rollback: the generation, its files verified, its image, and what would change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.errors import EngineError, HistoryError, Where
from freezer.flows.history.generations import history, locked_of, shown_folder
from freezer.flows.history.log import environment_name
from freezer.flows.project.environment import read_lock
from freezer.flows.rollback.compose import verified_past
from freezer.flows.rollback.earlier_image import How, image_here, known_place
from freezer.history.changes import changes

if TYPE_CHECKING:
    from freezer.engine.interface import ImageInfo
    from freezer.flows.check.result import CheckResult
    from freezer.flows.project.environment import Locked
    from freezer.flows.project.project import Project
    from freezer.history.log import History
    from freezer.model.generation import Generation


@dataclass(frozen=True)
class Rollback:
    """What a rollback did, or would do."""

    name: str
    current: Generation
    """The generation that was current before."""
    target: Generation
    locked: Locked
    """The target's lock, its bytes verified."""
    changes: tuple[str, ...]
    """A sentence for each difference from the current lock to the target's."""
    classes: tuple[str, ...]
    """Numerics classes that the target has numbers of."""
    how: How | None
    """Where its image came from, or would; None where only the rollback itself can find out."""
    place: str | None = None
    """Address that the image was published to, where that is known."""
    image: str | None = None
    on_record: bool | None = None
    image_seconds: float | None = None
    check: CheckResult | None = None
    why_not: str | None = None
    """Why the target's check is not good; None when it is."""
    already: bool = False
    """Whether an earlier command did it, such as one that was killed after it counted."""
    done: Generation | None = None
    """The new generation; None when nothing changed."""
    switch_seconds: float | None = None
    """Seconds that the switch took, after the check."""
    satisfies_spec: bool | None = None
    """Whether the lock satisfies the unchanged spec; None if unknown."""


def plan_rollback(project: Project, name: str | None, to: int | str | None = None) -> Rollback:
    """Return what a rollback would do, with all that can be verified without training.

    Writes nothing. Raises ``HistoryError`` when there is no such generation, it is current, or its
    files were edited.
    """
    chosen = environment_name(project, name)
    return planned(project, chosen, history(project, chosen), to)


def planned(project: Project, name: str, past: History, to: int | str | None) -> Rollback:
    """Return what a rollback would do, by a history that was read already; see `plan_rollback`."""
    now = read_lock(project.root, name)
    head = past.head
    if head is None or now is None:
        raise HistoryError(
            f"{name} has no earlier generation",
            where=Where(past.shown),
            hint="`freeze lock` records one each time that the lock changes",
        )
    target = _target(past, head, to)
    if to is not None and head.action == "rollback" and head.lock_id == target.lock_id == now.id:
        return done_already(project, name, past, head)
    if target.lock_id == now.id:
        raise HistoryError(
            f"generation {target.number} is the current one already",
            where=Where(past.shown),
            found=f"lock {now.id[:12]}",
            hint="`freeze log` lists the others",
        )
    locked = locked_of(project, name, target)
    verified_past(past, target, locked, shown_folder(name))
    recorded = past.images(target.lock_id)
    here = _held(project, locked, recorded)
    return Rollback(
        name=name,
        current=head,
        target=target,
        locked=locked,
        changes=tuple(changes(now.lock, locked.lock)),
        classes=tuple(sorted(past.references(target.lock_id))),
        how="here" if here else None,
        place=known_place(project, recorded),
        image=here.id if here else next(iter(sorted(recorded)), None),
        on_record=bool(recorded) or None,
    )


def done_already(project: Project, name: str, past: History, done: Generation) -> Rollback:
    """Return a rollback that counted before this command. Raises ``HistoryError``."""
    earlier = past.generations[: past.generations.index(done)]
    return Rollback(
        name=name,
        current=earlier[-1] if earlier else done,
        target=past.origin(done),
        locked=locked_of(project, name, done),
        changes=(),
        classes=tuple(sorted(past.references(done.lock_id))),
        how=None,
        image=done.image,
        already=True,
        done=done,
    )


def _held(project: Project, locked: Locked, recorded: frozenset[str]) -> ImageInfo | None:
    try:
        return image_here(project, locked, recorded)
    except EngineError as error:  # a dry run needs none
        project.report.warn(error.what)
        return None


def _target(past: History, head: Generation, to: int | str | None) -> Generation:
    if to is not None:
        return past.find(to)
    found = past.last_good()
    if found is None:
        start = past.origin(head)
        raise HistoryError(
            f"no generation before {start.number} was checked and found good",
            where=Where(past.shown),
            found=None if start is head else f"{head.number}, which went back to {start.number}",
            expected="a generation with another lock whose last checks were good",
            hint="`freeze check --all` finds which still are; or name one with --to",
        )
    return found

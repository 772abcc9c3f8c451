"""``freeze rollback``: a lock of the past becomes current again, once it is shown to be good."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING

from freezer.check.reference import write_reference
from freezer.errors import EngineError, FreezerError, HistoryError, StaleLockError, Where
from freezer.fetch.store import disk_errors
from freezer.flows.build import remember_verified
from freezer.flows.changes import changes
from freezer.flows.check import CheckResult, check_locked
from freezer.flows.generations import adopt, history, locked_of, shown_folder
from freezer.flows.holding import carry_out, holding
from freezer.flows.log import environment_name
from freezer.flows.past_image import How, bring_image, image_here, place_known
from freezer.flows.spec import LOCKS, read_lock
from freezer.flows.switching import switch_to, verified_past
from freezer.history.switch import begin

if TYPE_CHECKING:
    from freezer.engine.interface import ImageInfo
    from freezer.flows.past_image import PastImage
    from freezer.flows.sources import Workshop
    from freezer.flows.spec import Locked
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
    """Where its image came from, or would; None for a dry run that can only tell when it tries."""
    place: str | None = None
    """Where the image was published, where that is known."""
    image: str | None = None
    on_record: bool | None = None
    image_seconds: float | None = None
    check: CheckResult | None = None
    why_not: str | None = None
    """Why the target is not shown to be good; None when it is."""
    done: Generation | None = None
    """The new generation; None when nothing changed."""
    switch_seconds: float | None = None
    """What it took to make it current, after the check."""
    answers_spec: bool | None = None
    """Whether the lock answers the spec, which was not changed; None where that cannot be told."""


def rollback(
    workshop: Workshop,
    name: str | None,
    *,
    to: int | str | None = None,
    dry_run: bool = False,
    force: bool = False,
    reason: str | None = None,
) -> Rollback:
    """Make a generation's lock current again: the last good one before the current, or ``to``.

    Its lock, its image and its numbers on this host are verified first; when they are not good
    nothing changes, unless ``force``, which is recorded as a deviation. Raises ``HistoryError``
    when there is no such generation, it is current, or its files were edited, and what building
    and checking raise.
    """
    chosen = environment_name(workshop, name)
    before = history(workshop, chosen).tips
    if dry_run:
        return _plan(workshop, chosen, to)
    with holding(workshop, chosen):
        _demand_unchanged(workshop, chosen, before)
        adopt(workshop, chosen)  # what is left behind stays in the history
        planned = _plan(workshop, chosen, to)
        past = history(workshop, chosen)
        image = bring_image(workshop, planned.locked, past.images(planned.target.lock_id))
        result = check_locked(workshop, planned.locked, image=image.info, keep=False)
        found = replace(
            planned,
            how=image.how,
            image=image.info.id,
            on_record=image.on_record,
            image_seconds=image.seconds,
            check=result,
            why_not=_why_not(planned, image, result),
        )
        if found.why_not and not force:
            return found
        if image.on_record:
            remember_verified(workshop, planned.locked, image.info)
        return _switch(workshop, found, result, past, reason)


def _demand_unchanged(workshop: Workshop, name: str, before: tuple[str, ...]) -> None:
    """Demand that nobody changed what the user decided on while this waited."""
    past = history(workshop, name)
    if past.tips != before and past.head is not None:
        raise HistoryError(
            "the history went on while this waited, or a rollback that was cut off was ended",
            where=Where(past.shown),
            found=f"generation {past.head.number}, {past.head.action}: {past.head.summary}",
            hint="look at `freeze log`; run the command again to go back from there",
        )


def _plan(workshop: Workshop, name: str, to: int | str | None) -> Rollback:
    past = history(workshop, name)
    now = read_lock(workshop.project, name)
    head = past.head
    if head is None or now is None:
        raise HistoryError(
            f"{name} has no earlier generation",
            where=Where(past.shown),
            hint="`freeze lock` records one each time that the lock changes",
        )
    target = _target(past, head, to)
    if target.lock_id == now.id:
        raise HistoryError(
            f"generation {target.number} is the current one: its lock is what lies there",
            where=Where(past.shown),
            found=f"lock {now.id[:12]}",
            hint="`freeze log` lists the others",
        )
    locked = locked_of(workshop, name, target)
    verified_past(past, target, locked, shown_folder(name))
    recorded = past.images(target.lock_id)
    here = _held(workshop, locked, recorded)
    return Rollback(
        name=name,
        current=head,
        target=target,
        locked=locked,
        changes=tuple(changes(now.lock, locked.lock)),
        classes=tuple(sorted(past.references(target.lock_id))),
        how="here" if here else None,
        place=place_known(workshop, recorded),
        image=here.id if here else next(iter(sorted(recorded)), None),
        on_record=bool(recorded) or None,
    )


def _held(workshop: Workshop, locked: Locked, recorded: frozenset[str]) -> ImageInfo | None:
    try:
        return image_here(workshop, locked, recorded)
    except EngineError as error:  # a dry run needs none
        workshop.report.warn(error.what)
        return None


def _target(past: History, head: Generation, to: int | str | None) -> Generation:
    if to is not None:
        return past.find(to)
    found = past.last_good()
    if found is None:
        raise HistoryError(
            f"no generation before {head.number} was checked and found good",
            where=Where(past.shown),
            expected="a generation with another lock whose last checks were good",
            hint="`freeze check --all` finds which still are; or name one with --to",
        )
    return found


def _why_not(planned: Rollback, image: PastImage, result: CheckResult) -> str | None:
    """Say why the target is not shown to be good; None when it is."""
    number = planned.target.number
    if image.on_record is False:
        return (
            f"the image built from the lock of generation {number} is {image.info.id[:19]}, not "
            "the one on record: another version of Freezer made that one, or it was built with "
            "--revision"
        )
    if not result.verdict.good:
        said = "trained again, it is" if not result.repeated else "two runs of it here are"
        return f"the check of generation {number} is not good: {said} {result.verdict.word}"
    if result.repeated:
        known = ", ".join(planned.classes) or "none"
        return (
            f"generation {number} has no numbers of this host's class "
            f"{result.record.host.class_} (it has: {known}): two runs here agree with each other, "
            "which does not show that they agree with the past"
        )
    return None


def _switch(
    workshop: Workshop, found: Rollback, result: CheckResult, past: History, reason: str | None
) -> Rollback:
    folder = workshop.project / LOCKS / found.name
    if result.repeated and result.verdict.good:
        with disk_errors(folder):
            write_reference(found.locked.folder, result.record)
    started = monotonic()
    switch = switch_to(
        workshop,
        past,
        found.target,
        found.locked,
        result,
        found.changes,
        reason=reason,
        deviation=found.why_not is not None,
    )
    begin(folder, switch)
    carry_out(workshop, found.name, switch)
    seconds = monotonic() - started
    done = history(workshop, found.name).head
    answers = _answers(workshop, found.name)
    return replace(found, done=done, switch_seconds=seconds, answers_spec=answers)


def _answers(workshop: Workshop, name: str) -> bool | None:
    from freezer.flows.lock import check_lock  # it loads every resolver, and a dry run needs none

    try:
        check_lock(workshop, name)
    except StaleLockError:
        return False
    except FreezerError:
        return None
    return True

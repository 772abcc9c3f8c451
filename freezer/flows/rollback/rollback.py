"""``freeze rollback``: a lock of the past becomes current again, once it is shown to be good."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING

from freezer.check.reference import write_reference
from freezer.errors import FreezerError, HistoryError, StaleLockError, Where
from freezer.fetch.store.atomic import disk_errors
from freezer.flows.check.check import check_locked
from freezer.flows.check.result import Recording
from freezer.flows.history.generations import adopt, history
from freezer.flows.history.log import environment_name
from freezer.flows.image.build import remember_verified
from freezer.flows.image.inventory_cache import keep_inventory
from freezer.flows.project.environment import LOCKS
from freezer.flows.project.exclusive import carry_out, exclusive_lock
from freezer.flows.rollback.earlier_image import obtain_image
from freezer.flows.rollback.plan import Rollback, plan_rollback
from freezer.flows.rollback.switch import switch_to
from freezer.history.switch import begin

if TYPE_CHECKING:
    from freezer.flows.check.result import CheckResult
    from freezer.flows.project.project import Project
    from freezer.flows.rollback.earlier_image import EarlierImage
    from freezer.history.log import History


def rollback(
    project: Project,
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
    chosen = environment_name(project, name)
    if dry_run:
        return plan_rollback(project, chosen, to)
    before = history(project, chosen).tips
    with exclusive_lock(project, chosen):
        _require_unchanged(project, chosen, before)
        adopt(project, chosen)  # what is left behind stays in the history
        planned = plan_rollback(project, chosen, to)
        past = history(project, chosen)
        image = obtain_image(project, planned.locked, past.images(planned.target.lock_id))
        result = check_locked(project, planned.locked, recording=Recording.NEVER, image=image.info)
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
        if result.record.inventory is not None:
            with suppress(FreezerError):  # it is good to have, and decides nothing
                keep_inventory(project, planned.locked, image.info.id)
        if image.on_record:
            remember_verified(project, planned.locked, image.info)
        return _switch(project, found, result, past, reason)


def _require_unchanged(project: Project, name: str, before: tuple[str, ...]) -> None:
    """Demand that nobody changed what the user decided on while this waited."""
    past = history(project, name)
    if past.tips != before and past.head is not None:
        raise HistoryError(
            "the history went on while this waited, or a rollback that was cut off was ended",
            where=Where(past.shown),
            found=f"generation {past.head.number}, {past.head.action}: {past.head.summary}",
            hint="look at `freeze log`; run the command again to go back from there",
        )


def _why_not(planned: Rollback, image: EarlierImage, result: CheckResult) -> str | None:
    """Say why the target is not shown to be good; None when it is."""
    number = planned.target.number
    if image.on_record is False:
        return (
            f"the image built from the lock of generation {number} is {image.info.id[:19]}, not "
            "the one on record: another version of Freezer made that one, or it was built with "
            "--revision"
        )
    if not result.verdict.good:
        said = "trained again, it is" if not result.by_two_runs else "two runs of it here are"
        return f"the check of generation {number} is not good: {said} {result.verdict.word}"
    if result.by_two_runs:
        known = ", ".join(planned.classes) or "none"
        return (
            f"generation {number} has no numbers of this host's class "
            f"{result.record.host.class_} (it has: {known}): two runs here agree with each other, "
            "which does not show that they agree with the past"
        )
    return None


def _switch(
    project: Project, found: Rollback, result: CheckResult, past: History, reason: str | None
) -> Rollback:
    folder = project.root / LOCKS / found.name
    if result.by_two_runs and result.verdict.good:
        with disk_errors(folder):
            write_reference(found.locked.folder, result.record)
    started = monotonic()
    switch = switch_to(
        project,
        past,
        found.target,
        found.locked,
        result,
        found.changes,
        reason=reason,
        deviation=found.why_not is not None,
    )
    begin(folder, switch)
    carry_out(project, found.name, switch)
    seconds = monotonic() - started
    done = history(project, found.name).head
    answers = _answers(project, found.name)
    return replace(found, done=done, switch_seconds=seconds, answers_spec=answers)


def _answers(project: Project, name: str) -> bool | None:
    from freezer.flows.lock.lock import (
        check_lock,  # it loads every resolver, and a dry run needs none
    )

    try:
        check_lock(project, name)
    except StaleLockError:
        return False
    except FreezerError:
        return None
    return True

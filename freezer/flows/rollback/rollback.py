"""``freeze rollback``: an earlier lock becomes current again, once its check was good."""

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
from freezer.flows.history.generations import adopt, shown_folder
from freezer.flows.history.log import environment_name
from freezer.flows.history.opened import open_history
from freezer.flows.image.build import remember_verified
from freezer.flows.image.inventory_cache import keep_inventory
from freezer.flows.project.environment import LOCKS
from freezer.flows.rollback.compose import compose_switch
from freezer.flows.rollback.earlier_image import obtain_image
from freezer.flows.rollback.plan import Rollback, done_already, plan_rollback, planned
from freezer.history.log import FOLDER, LOG_FILE, read_log

if TYPE_CHECKING:
    from freezer.flows.check.result import CheckResult
    from freezer.flows.history.opened import OpenHistory
    from freezer.flows.project.project import Project
    from freezer.flows.rollback.earlier_image import EarlierImage
    from freezer.history.log import History
    from freezer.model.generation import Generation


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
    before = read_log(project.root / LOCKS / chosen, f"{shown_folder(chosen)}/{FOLDER}/{LOG_FILE}")
    with open_history(project, chosen) as opened:
        if opened.finished is not None and _is_wanted(opened, opened.finished, to):
            return done_already(project, chosen, opened.past, opened.finished)
        _require_unchanged(opened.past, before)
        adopt(opened)  # what is left behind stays in the history
        plan = planned(project, chosen, opened.past, to)
        if plan.already:
            return plan
        project.require_allowed("rollback", plan.locked.lock, plan.locked.id)
        recorded = opened.past.images(plan.target.lock_id)
        image = obtain_image(project, plan.locked, recorded)
        result = check_locked(
            project, plan.locked, recording=Recording.NEVER, past=opened.past, image=image.info
        )
        found = replace(
            plan,
            how=image.how,
            image=image.info.id,
            on_record=image.on_record,
            image_seconds=image.seconds,
            check=result,
            why_not=_why_not(plan, image, result),
        )
        if found.why_not and not force:
            return found
        if result.record.inventory is not None:
            with suppress(FreezerError):  # it is good to have, and decides nothing
                keep_inventory(project, plan.locked, image.info.id)
        if image.on_record:
            remember_verified(project, plan.locked, image.info)
        return _switch(opened, found, result, reason)


def _is_wanted(opened: OpenHistory, finished: Generation, to: int | str | None) -> bool:
    """Say whether a rollback that was cut off is the one that is asked for again."""
    return to is None or opened.past.find(to).lock_id == finished.lock_id


def _require_unchanged(past: History, before: bytes) -> None:
    """Require that nobody changed what the user decided on while this command waited."""
    if past.data != before and past.head is not None:
        raise HistoryError(
            "the history went on while this waited, or a rollback that was cut off was finished",
            where=Where(past.shown),
            found=f"generation {past.head.number}, {past.head.action}: {past.head.summary}",
            hint="look at `freeze log`; run the command again to go back from there",
        )


def _why_not(plan: Rollback, image: EarlierImage, result: CheckResult) -> str | None:
    """Return why the target's check is not good; None when it is."""
    number = plan.target.number
    if image.on_record is False:
        return (
            f"the image built from the lock of generation {number} is {image.info.id[:19]}, not "
            "the one on record: another version of Freezer made that one, or it was built with "
            "--revision"
        )
    if not result.verdict.good:
        if result.unmet is not None:
            return f"generation {number} is not as the spec expects: {result.unmet}"
        said = "trained again, it is" if not result.by_two_runs else "two runs of it here are"
        return f"the check of generation {number} is not good: {said} {result.verdict.word}"
    if result.by_two_runs:
        known = ", ".join(plan.classes) or "none"
        return (
            f"generation {number} has no reference of this host's numerics class "
            f"{result.record.host.class_} (it has: {known}): two runs here agree with each other, "
            "which does not show that they agree with the past"
        )
    return None


def _switch(
    opened: OpenHistory, found: Rollback, result: CheckResult, reason: str | None
) -> Rollback:
    project = opened.project
    if result.by_two_runs and result.verdict.good:
        with disk_errors(opened.folder):
            write_reference(found.locked.folder, result.record)
    started = monotonic()
    opened.switch(
        compose_switch(
            project,
            opened.past,
            found.target,
            found.locked,
            result,
            found.changes,
            reason=reason,
            deviation=found.why_not is not None,
        )
    )
    seconds = monotonic() - started
    answers = _answers(project, found.name)
    return replace(found, done=opened.past.head, switch_seconds=seconds, satisfies_spec=answers)


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

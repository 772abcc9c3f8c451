"""``freeze check --all``: which earlier locks still build and reproduce their results."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING

from freezer.errors import BusyError, FreezerError, SpecError
from freezer.flows.check.check import check_locked
from freezer.flows.check.record import record_check
from freezer.flows.check.result import Recording
from freezer.flows.compare.planned_checks import generations_by_lock
from freezer.flows.history.generations import adopted_history, locked_of, shown_folder
from freezer.flows.history.log import environment_name
from freezer.flows.project.environment import read_lock
from freezer.flows.rollback.compose import verified_past
from freezer.flows.rollback.earlier_image import How, obtain_image

if TYPE_CHECKING:
    from collections.abc import Iterable

    from freezer.flows.check.result import CheckResult
    from freezer.flows.project.project import Project
    from freezer.history.log import History
    from freezer.model.generation import Generation


@dataclass(frozen=True)
class PastCheck:
    """The result of a check of an earlier lock."""

    generations: tuple[Generation, ...]
    """The generations with this lock, oldest first."""
    why_not: str | None
    """Why it is not good; None when it is."""
    how: How | None = None
    """Where its image came from; None when it is not available."""
    on_record: bool | None = None
    """Whether the image ID is in the history; None when the history has none."""
    result: CheckResult | None = None
    """None when there was no image to train in."""
    seconds: float = 0.0


@dataclass(frozen=True)
class PastChecks:
    """The checks of an environment's earlier locks, oldest first."""

    name: str
    checks: tuple[PastCheck, ...]

    @property
    def good(self) -> bool:
        """Return whether all of them are good."""
        return all(one.why_not is None for one in self.checks)


def check_generation(
    project: Project, name: str | None, number: int | str, *, record: bool = False
) -> PastChecks:
    """Build and check one generation; see `check_all`. Raises ``HistoryError``."""
    chosen = environment_name(project, name)
    past = adopted_history(project, chosen)
    return _run(project, chosen, past, {past.find(number).lock_id}, record=record)


def check_all(
    project: Project, name: str | None, *, since: str | None = None, record: bool = False
) -> PastChecks:
    """Build and check every generation, or those ``since`` a time; each lock once.

    An image comes from the engine, from where it was published, or is built again. Results are
    recorded in the history. When a lock has no reference of this host's numerics class, two runs of
    it prove nothing about the past: that is not good, and is stored only with ``record``. Raises
    ``HistoryError``, and ``EngineError`` without an engine.
    """
    chosen = environment_name(project, name)
    past = adopted_history(project, chosen)
    return _run(project, chosen, past, generations_by_lock(chosen, past, since), record=record)


def parse_since(text: str) -> str:
    """Parse a date, or a date and a time, to the form of the history. Raises ``SpecError``."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise SpecError(
            "--since is not a date",
            found=text,
            expected="such as 2026-11-01 or 2026-11-01T12:00:00Z",
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _run(
    project: Project, name: str, past: History, lock_ids: Iterable[str], *, record: bool
) -> PastChecks:
    project.engine()  # without an engine, no generation can be judged
    by_lock: dict[str, list[Generation]] = {}
    for one in past.generations:
        if one.lock_id in lock_ids:
            by_lock.setdefault(one.lock_id, []).append(one)
    checks = tuple(
        _check(project, name, past, tuple(generations), record=record)
        for generations in by_lock.values()
    )
    return PastChecks(name, checks)


def _check(
    project: Project,
    name: str,
    past: History,
    generations: tuple[Generation, ...],
    *,
    record: bool,
) -> PastCheck:
    started = monotonic()
    numbers = ", ".join(str(one.number) for one in generations)
    project.report.note(f"Generation {numbers}, lock {generations[-1].lock_id[:12]}")
    try:
        found = _built_and_checked(project, name, past, generations[-1], record=record)
    except BusyError:
        raise  # the next generation would fail in the same way
    except FreezerError as error:
        project.report.warn(str(error))
        return PastCheck(generations, error.what, seconds=monotonic() - started)
    return PastCheck(generations, *found, seconds=monotonic() - started)


def _built_and_checked(
    project: Project, name: str, past: History, last: Generation, *, record: bool
) -> tuple[str | None, How, bool | None, CheckResult]:
    locked = locked_of(project, name, last)
    verified_past(past, last, locked, shown_folder(name))
    now = read_lock(project.root, name)
    if now is not None and now.id == locked.id:
        locked = now  # a newly recorded reference is stored next to it
    image = obtain_image(project, locked, past.images(last.lock_id))
    recording = Recording.ANEW if record else Recording.NEVER
    result = check_locked(project, locked, recording=recording, past=past, image=image.info)
    if image.on_record is not False and (not result.by_two_runs or result.recorded):
        record_check(project, locked, result.record, result.verdict.word)
    return _why_not(result, on_record=image.on_record), image.how, image.on_record, result


def _why_not(result: CheckResult, *, on_record: bool | None) -> str | None:
    if on_record is False:
        return "the built image is not the recorded one"
    if not result.verdict.good:
        unmet = "" if result.unmet is None else f", not as the spec expects: {result.unmet}"
        return f"{result.verdict.word}{unmet}"
    if result.by_two_runs and not result.recorded:
        return (
            f"no reference of class {result.record.host.class_}: two runs agree with each other; "
            "--record keeps the results"
        )
    return None

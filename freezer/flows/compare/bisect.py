"""``freeze bisect``: the generation, and within it the change, that changed the results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.errors import CheckError, HistoryError, Where
from freezer.flows.check.check import check_locked
from freezer.flows.check.result import Recording
from freezer.flows.compare.trials import Trial, Trials
from freezer.flows.history.generations import adopted_history, locked_of
from freezer.flows.history.log import environment_name
from freezer.flows.rollback.earlier_image import obtain_image
from freezer.history.between import Change, changes_between
from freezer.history.numbers import ChangedNumbers, numbers_between
from freezer.history.search import State, bad_step, smallest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.flows.project.project import Project
    from freezer.history.log import History
    from freezer.model.generation import Generation
    from freezer.model.lock import Lock


@dataclass(frozen=True)
class Bisected:
    """The change that changed the results, and the trials that found it."""

    name: str
    good: Generation
    """The last generation with the results of the good one."""
    bad: Generation
    """The first one with other results."""
    skipped: int
    """Generations between the two that could not be tried; the change may be in one of them."""
    culprits: tuple[Change, ...]
    """The smallest set of changes found that changes the results by itself."""
    changes: int
    """All changes between the two generations."""
    trial: Trial
    """The trial with only those changes."""
    trials: tuple[Trial, ...]
    """All trials, in order."""
    numbers: tuple[ChangedNumbers, ...] = ()
    """What of the culprits is measured to give other numbers for the same seed."""


def bisect(
    project: Project,
    name: str | None,
    good: int | str,
    bad: int | str,
    *,
    keep: bool = False,
) -> Bisected:
    """Find the change that changed the results between two generations.

    Builds and checks generations in between. All are compared with the results of the good
    generation on this host, and trained with the Freezer runtime of its image, as another one may
    train differently. Generations that cannot be built or compared are skipped. Nothing is written
    into the project; images of locks that were only tried are removed, unless ``keep``. Raises
    ``HistoryError`` when there is no such generation, ``CheckError`` when the good one is not good
    here or the bad one not bad, and the errors of building for these two.
    """
    chosen = environment_name(project, name)
    past = adopted_history(project, chosen)
    steps = _between(past, past.find(good), past.find(bad))
    first = locked_of(project, chosen, steps[0])
    image = obtain_image(project, first, past.images(first.id)).info
    result = check_locked(
        project,
        first,
        recording=Recording.NEVER,
        image=image,
        apply_expectations=False,  # only whether results changed, not whether they are wanted
    )
    if not result.verdict.good:
        raise CheckError(
            f"generation {steps[0].number} does not reproduce its own results on this host",
            found=f"{result.verdict.word}",
            hint=f"choose another --good: `freeze check --all {chosen}` lists which still are",
        )
    with Trials(project, result.record, first.lock.inside, keep=keep) as trials:
        _require_bad(trials.generation(chosen, past, steps[-1]), steps)
        last, next_ = bad_step(
            len(steps), lambda step: trials.generation(chosen, past, steps[step]).state
        )
        ends = (locked_of(project, chosen, steps[step]).lock for step in (last, next_))
        old, new = (trials.with_runtime(lock) for lock in ends)
        changes = _likeliest_first(changes_between(old, new), old, new)
        culprits = _culprits(trials, changes, old, new)
        shown = trials.of(culprits) or trials.last_bad
        return Bisected(
            name=chosen,
            good=steps[last],
            bad=steps[next_],
            skipped=next_ - last - 1,
            culprits=culprits,
            changes=len(changes),
            trial=shown,
            trials=tuple(trials.made),
            numbers=_numbers(culprits, old, new),
        )


def _likeliest_first(changes: Sequence[Change], old: Lock, new: Lock) -> tuple[Change, ...]:
    """Put changes first that are measured to change numbers: the search halves in this order."""
    return tuple(sorted(changes, key=lambda one: not _numbers((one,), old, new)))


def _numbers(changes: Sequence[Change], old: Lock, new: Lock) -> tuple[ChangedNumbers, ...]:
    return numbers_between(old, new, [item for one in changes for item in one.items])


def _culprits(
    trials: Trials, changes: Sequence[Change], old: Lock, new: Lock
) -> tuple[Change, ...]:
    if len(changes) < 2:
        return tuple(changes)
    return smallest(changes, lambda some: trials.changed(old, new, some).state)


def _between(past: History, good: Generation, bad: Generation) -> list[Generation]:
    """Return the generations from one to the other, each lock once, oldest first."""
    start, end = past.generations.index(good), past.generations.index(bad)
    if start >= end:
        raise HistoryError(
            f"generation {good.number} is not older than generation {bad.number}",
            where=Where(past.shown),
            hint="give the older one, whose results are right, as --good",
        )
    found: list[Generation] = []
    for one in past.generations[start : end + 1]:
        if not found or one.lock_id != found[-1].lock_id:
            found.append(one)
    if found[-1].lock_id == found[0].lock_id:
        raise HistoryError(
            f"generations {good.number} and {bad.number} have the same lock",
            where=Where(past.shown),
            hint="`freeze log` lists the others",
        )
    return found


def _require_bad(trial: Trial, steps: Sequence[Generation]) -> None:
    good, bad = steps[0].number, steps[-1].number
    if trial.state is State.SKIPPED:
        raise CheckError(
            f"generation {bad} cannot be compared with generation {good}",
            found=trial.summary,
            hint="choose another --bad",
        )
    if trial.state is State.GOOD:
        raise CheckError(
            f"generation {bad} reproduces the results of generation {good}: nothing changed "
            "between them",
            found=trial.summary,
            hint="choose another --bad; `freeze log` lists what was checked, and where",
        )

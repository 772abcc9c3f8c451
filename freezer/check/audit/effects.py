"""Effects of a variation on the results of each training. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.check.compare.numbers import compare_numbers
from freezer.inside.freezer_inside.trainer import PROCESSOR
from freezer.model.base import Model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freezer.check.audit.factors import Factor
    from freezer.model.record.record import Record, Training


class Effect(Model):
    """The effect of one factor on one training."""

    factor: str
    title: str
    training: str
    changes: bool
    """Whether any bit of the results differs."""
    failure: str | None = None
    """Why the training failed under the factor."""
    first: str | None = None
    """The first difference: ``w1 at step 1``."""
    relative: float | None = None
    """Norm of the difference over the norm of the expected value, at the first difference."""
    differing: int = 0
    of: int = 0
    fault: bool = False
    """Whether a change means that the training is not repeatable on one host."""
    time: float | None = None
    """CPU time of the training under the factor over that of the unchanged one."""
    mitigation: str = ""
    cost: float | None = None
    """Time with the mitigation over the time without; 1 when it costs nothing."""

    @property
    def bad(self) -> bool:
        """Whether the training is not repeatable, or does not run."""
        return self.failure is not None or (self.fault and self.changes)


def effects(factor: Factor, base: Record, varied: Record) -> Iterator[Effect]:
    """Yield the effect of a factor on each training that was run under it.

    ``base`` is an unchanged run, or the one that the factor is compared with. Only results count,
    not recorded settings.
    """
    names = {one.name for one in varied.trainings}
    before = tuple(one for one in base.trainings if one.name in names)
    verdict = compare_numbers(base.model_copy(update={"trainings": before}), varied)
    seconds = {one.name: _seconds(one) for one in before}
    for one, run in zip(verdict.trainings, varied.trainings, strict=True):
        first, unchanged = one.first, seconds.get(run.name)
        time = _seconds(run) / unchanged if unchanged and one.reason is None else None
        yield Effect(
            factor=factor.name,
            title=factor.title,
            training=one.training,
            changes=first is not None,
            failure=one.reason,
            first=first.what if first else None,
            relative=first.relative if first else None,
            differing=first.differing if first else 0,
            of=first.of if first else one.observations,
            fault=factor.fault,
            time=None if time is None else round(time, 2),
            mitigation=factor.mitigation,
            cost=_cost(factor, time),
        )


def _seconds(training: Training) -> float:
    """Return a training's CPU time if recorded, without its start.

    For a user's own training it is the sum of its recorded timings.
    """
    timings = {one.name: one.seconds for one in training.timings}
    return timings.get(PROCESSOR) or sum(
        seconds for name, seconds in timings.items() if name != "start"
    )


def _cost(factor: Factor, time: float | None) -> float | None:
    """Return the cost of the mitigation from the time under the factor."""
    if factor.costs == "nothing":
        return 1.0
    if not time or factor.costs == "unknown":
        return None
    return round(time if factor.costs == "as varied" else 1 / time, 2)

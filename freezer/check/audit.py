"""What a variation did to the numbers of each training. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.check.compare import compare
from freezer.model.base import Model
from freezer.model.record import Record, Said

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freezer.check.factors import Factor


class Effect(Model):
    """What one factor did to one training."""

    factor: str
    title: str
    training: str
    changes: bool
    """Whether any bit of what was trained differs."""
    failure: str | None = None
    """Why the training did not come to its end under the factor."""
    first: str | None = None
    """Where it differs first, in words: ``w1 at step 1``."""
    relative: float | None = None
    """Norm of the difference over the norm of what was expected, where it first differs."""
    differing: int = 0
    of: int = 0
    fault: bool = False
    """Whether a change means that the training does not repeat on one host."""
    cost: float | None = None
    """Seconds of the whole run under the factor over those of the unchanged run."""
    mitigation: str = ""

    @property
    def bad(self) -> bool:
        """Whether the training does not repeat, or does not run."""
        return self.failure is not None or (self.fault and self.changes)


def effects(factor: Factor, base: Record, varied: Record, cost: float) -> Iterator[Effect]:
    """Yield the effect of a factor on each training, given an unchanged run and one with it.

    Only numbers count: that a setting reads back as it was set is no effect.
    """
    verdict = compare(numbers_only(base), numbers_only(varied))
    for one in verdict.trainings:
        first = one.first
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
            cost=round(cost, 2),
            mitigation=factor.mitigation,
        )


def numbers_only(record: Record) -> Record:
    """Return a record without versions, settings and inventory."""
    trainings = tuple(
        one.model_copy(
            update={"observations": tuple(o for o in one.observations if not isinstance(o, Said))}
        )
        for one in record.trainings
    )
    return record.model_copy(update={"trainings": trainings, "inventory": None})

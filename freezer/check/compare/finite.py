"""Detects trainings without any finite result.

Records are compared by bits, so NaN equals NaN. A training whose losses are all NaN would pass
every check, regardless of changes in its environment.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from freezer.check.compare.compare import worst
from freezer.check.compare.ulps import sampled_values
from freezer.model.record.record import Number, Tensor
from freezer.model.record.verdict import GOOD, Word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freezer.model.record.record import Record, Training
    from freezer.model.record.verdict import TrainingVerdict, Verdict


def require_finite(verdict: Verdict, found: Record) -> Verdict:
    """Return a verdict in which passed trainings without any finite result have failed. Pure."""
    reasons = {one.name: nothing_finite(one) for one in found.trainings}
    trainings = tuple(_failed(one, reasons.get(one.training)) for one in verdict.trainings)
    if trainings == verdict.trainings:
        return verdict
    return verdict.model_copy(update={"trainings": trainings, "word": worst(trainings)})


def nothing_finite(training: Training) -> str | None:
    """Return why a training proves nothing; None when some result is a finite number.

    Its losses decide; its metrics if it reports no loss; the samples of its tensors if it reports
    neither. A loss that is infinite at one step and finite at another is a result: mixed precision
    skips such steps.
    """
    for noun, values in _results(training):
        if values:
            if any(math.isfinite(value) for value in values):
                return None
            every = f"all of its {len(values)} {noun}" if len(values) > 1 else f"its only {noun}"
            return f"{every} NaN or infinite: nothing was trained, so nothing can be compared"
    return None


def _results(training: Training) -> Iterator[tuple[str, list[float]]]:
    """Yield a training's results by kind, the most conclusive first."""
    numbers = [one for one in training.observations if isinstance(one, Number)]
    for kind in ("loss", "metric"):
        yield kind, [float.fromhex(one.value) for one in numbers if one.kind == kind]
    tensors = [one for one in training.observations if isinstance(one, Tensor)]
    floats = [one for one in tensors if one.dtype[1] == "f" and one.sample]
    yield "sampled elements", [value for one in floats for value in sampled_values(one)]


def _failed(one: TrainingVerdict, reason: str | None) -> TrainingVerdict:
    if reason is None or one.word not in GOOD:
        return one
    return one.model_copy(update={"word": Word.FAILED, "reason": reason})

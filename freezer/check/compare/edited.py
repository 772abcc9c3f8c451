"""Detects weights that were changed after the training, as no result shows that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.model.record.record import Number, Tensor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.model.record.record import Observation, Training


def edited(
    expected: Training, differing: Sequence[tuple[Observation | None, Observation | None]]
) -> list[str]:
    """Return one sentence when nothing but final weights differs between two runs. Pure.

    These are tensors recorded at several steps of which only the last differs, while the losses of
    that step equal the reference's. Empty when anything else differs, and for a tensor recorded
    once, which may differ by rounding.
    """
    if not differing or not all(_is_last(expected, *pair) for pair in differing):
        return []
    names = [f"{one.name} at step {one.step}" for one, _ in differing if isinstance(one, Tensor)]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    sentence = (
        f"nothing but {', '.join(names[:3])}{more} differs, and everything computed before it "
        "is the same: it was changed after the last step, not by training"
    )
    return [f"{expected.name}: {sentence}"]


def _is_last(expected: Training, before: Observation | None, after: Observation | None) -> bool:
    if not (isinstance(before, Tensor) and isinstance(after, Tensor)):
        return False
    if (before.dtype, before.shape) != (after.dtype, after.shape):
        return False
    observations = expected.observations
    steps = [
        one.step for one in observations if isinstance(one, Tensor) and one.name == before.name
    ]
    numbers = any(isinstance(one, Number) and one.step == before.step for one in observations)
    return len(steps) > 1 and before.step == max(steps) and numbers

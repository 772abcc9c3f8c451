"""Reproducibility metrics: which parts of a run were equal, and the distance of the others.

Pure. A step is identical when its losses are, bit for bit; a tensor when its digest is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.check.compare.measure import distance
from freezer.model.base import Model
from freezer.model.record.record import Number, Tensor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freezer.model.record.record import Record, Training


class Curve(Model):
    """One loss over the steps of both runs; None where a run recorded none."""

    name: str
    steps: tuple[int, ...]
    expected: tuple[float | None, ...]
    found: tuple[float | None, ...]
    apart: tuple[int, ...] = ()
    """The steps at which the two differ in any bit."""


class Metrics(Model):
    """Reproducibility of one training."""

    training: str
    steps: int
    identical_steps: int
    tensors: int
    identical_tensors: int
    worst_ulps: int | None = None
    """Greatest distance in units in the last place, over the elements in both records."""
    note: str | None = None
    """The first note of a tensor or number that a distance does not show."""
    worst_relative: float | None = None
    """Greatest relative error of a loss, or of a tensor by norm."""
    growth: tuple[tuple[int, float], ...] = ()
    """Steps with the greatest relative error of tensors and losses, where measurable."""
    curves: tuple[Curve, ...] = ()


def metrics(expected: Record, found: Record) -> tuple[Metrics, ...]:
    """Return the metrics of all trainings that are in both records."""
    before = {training.name: training for training in expected.trainings}
    return tuple(
        _of(before[training.name], training)
        for training in found.trainings
        if training.name in before
    )


def _of(expected: Training, found: Training) -> Metrics:
    curves = tuple(_curves(expected, found))
    steps = sorted({step for curve in curves for step in curve.steps})
    apart = {step for curve in curves for step in curve.apart}
    pairs = list(_pairs(expected, found))
    tensors = [pair for pair in pairs if isinstance(pair[0] or pair[1], Tensor)]
    far = [(left, distance(left, right)) for left, right in pairs if left and right]
    ulps = [item.ulps for _, item in far if item.ulps is not None]
    relative = [item.relative for _, item in far if item.relative is not None]
    growth: dict[int, float] = {}
    for one, item in far:
        if item.relative is not None:
            growth[one.step] = max(growth.get(one.step, 0.0), item.relative)
    return Metrics(
        training=found.name,
        steps=len(steps),
        identical_steps=len([step for step in steps if step not in apart]),
        tensors=len(tensors),
        identical_tensors=sum(1 for left, right in tensors if _same(left, right)),
        worst_ulps=max(ulps, default=None),
        note=next((item.note for _, item in far if item.note is not None), None),
        worst_relative=max(relative, default=None),
        growth=tuple(sorted(growth.items())),
        curves=curves,
    )


Measured = Number | Tensor


def _pairs(
    expected: Training, found: Training
) -> Iterator[tuple[Measured | None, Measured | None]]:
    """Pair losses, metrics and tensors of one name and step."""
    left, right = (
        {(o.kind, o.name, o.step): o for o in one.observations if isinstance(o, (Number, Tensor))}
        for one in (expected, found)
    )
    for key in sorted(left.keys() | right.keys(), key=lambda item: (item[2], item[0], item[1])):
        yield left.get(key), right.get(key)


def _same(left: Measured | None, right: Measured | None) -> bool:
    if isinstance(left, Tensor) and isinstance(right, Tensor):
        return (left.dtype, left.shape, left.sha256) == (right.dtype, right.shape, right.sha256)
    return left == right


def _curves(expected: Training, found: Training) -> Iterator[Curve]:
    before, after = _losses(expected), _losses(found)
    for name in dict.fromkeys((*before, *after)):
        left, right = before.get(name, {}), after.get(name, {})
        steps = sorted(left.keys() | right.keys())
        yield Curve(
            name=name,
            steps=tuple(steps),
            expected=tuple(_value(left.get(step)) for step in steps),
            found=tuple(_value(right.get(step)) for step in steps),
            apart=tuple(step for step in steps if left.get(step) != right.get(step)),
        )


def _losses(training: Training) -> dict[str, dict[int, str]]:
    """Return the losses by name and step, as hexadecimal text, so that NaN equals itself."""
    found: dict[str, dict[int, str]] = {}
    for one in training.observations:
        if isinstance(one, Number) and one.kind == "loss":
            found.setdefault(one.name, {})[one.step] = one.value
    return found


def _value(text: str | None) -> float | None:
    return None if text is None else float.fromhex(text)

"""The rules of an expectation: each has its expectation, its finding, and the outcome."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from freezer.check.invariants.observed import GREATEST, LEAST, NOT_FINITE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from freezer.check.invariants.observed import Observed, Series
    from freezer.model.spec.expect import ClassesExpect, Expectation, MonotoneExpect


class Ruling(NamedTuple):
    """What a rule came to; ``found`` is None where nothing was reported that it is about."""

    rule: str
    passed: bool
    expected: str
    found: str | None


def rulings(name: str, expectation: Expectation, seen: Observed) -> Iterator[Ruling]:
    """Yield what each rule of an expectation comes to."""
    values = _Values(name, seen)
    if expectation.finite:
        yield Ruling("finite", *values.finite())
    if expectation.range is not None:
        low, high = expectation.range
        start = -math.inf if low == "any" else float(low)
        end = math.inf if high == "any" else float(high)
        yield Ruling("range", *values.within(start, end))
    series = seen.series.get(name)
    if expectation.floor is not None:
        yield _last("floor", series, f"at least {expectation.floor!r}", expectation.floor, math.inf)
    if expectation.ceiling is not None:
        text = f"at most {expectation.ceiling!r}"
        yield _last("ceiling", series, text, -math.inf, expectation.ceiling)
    if expectation.monotone is not None:
        yield _monotone(expectation.monotone, series)
    if expectation.shape is not None:
        yield _shape(expectation.shape, seen, name)
    if expectation.classes is not None:
        yield from _classes(expectation.classes, seen, name)


class _Values:
    """Every value of a name: of a series, or of a tensor as far as it was reported."""

    def __init__(self, name: str, seen: Observed) -> None:
        self._series = seen.series.get(name)
        self._tensor = seen.tensors.get(name)
        self._exact = [seen.series.get(f"{name}{end}") for end in (LEAST, GREATEST, NOT_FINITE)]

    def finite(self) -> tuple[bool, str, str | None]:
        """Return what the rule ``finite`` comes to."""
        expected = "finite values"
        if self._series is not None:
            at = _first(self._series, math.isfinite)
            return at is None, expected, at or _counted(self._series)
        least, greatest, bad = self._exact
        if least is not None and greatest is not None and bad is not None:
            at = _first(bad, lambda count: count == 0)
            return at is None, expected, "finite elements" if at is None else f"not finite: {at}"
        facts = self._tensor
        if facts is None or not facts.sampled:
            return False, expected, _unsampled if facts is not None else None
        if facts.not_finite:
            return False, expected, f"{facts.not_finite} NaN or infinite of {self._sample()}"
        return True, expected, f"finite elements in {self._sample()}"

    def within(self, low: float, high: float) -> tuple[bool, str, str | None]:
        """Return what the rule ``range`` comes to."""
        expected = f"values from {low!r} to {high!r}"

        def fits(value: float) -> bool:
            return low <= value <= high

        if self._series is not None:
            at = _first(self._series, fits)
            return at is None, expected, at or _counted(self._series)
        least, greatest, bad = self._exact
        if least is not None and greatest is not None and bad is not None:
            at = _first(least, fits) or _first(greatest, fits) or _first(bad, lambda n: n == 0)
            return at is None, expected, at or "every element"
        facts = self._tensor
        if facts is None or not facts.sampled:
            return False, expected, _unsampled if facts is not None else None
        found = f"{facts.least!r} to {facts.greatest!r} in {self._sample()}"
        if facts.not_finite:
            return False, expected, f"{facts.not_finite} NaN or infinite of {self._sample()}"
        return fits(facts.least) and fits(facts.greatest), expected, found

    def _sample(self) -> str:
        facts = self._tensor
        assert facts is not None  # noqa: S101 - callers looked
        if facts.sampled == facts.elements:
            return f"all {facts.elements} elements"
        return f"a sample of {facts.sampled} of {facts.elements} elements"


_unsampled = "a tensor that is reported by its digest alone"


def _counted(series: Series) -> str:
    return f"{len(series.values)} such value{'s' * (len(series.values) != 1)}"


def _first(series: Series, fits: object) -> str | None:
    """Return in words the first value that does not fit; None where each does."""
    assert callable(fits)  # noqa: S101
    for step, value in zip(series.steps, series.values, strict=True):
        if not fits(value):
            return f"{value!r} at step {step}"
    return None


def _last(rule: str, series: Series | None, expected: str, low: float, high: float) -> Ruling:
    if series is None or not len(series.values):
        return Ruling(rule, passed=False, expected=expected, found=None)
    value = series.values[-1]
    found = f"{value!r} at step {series.steps[-1]}"
    return Ruling(rule, low <= value <= high, expected, found)


def _monotone(wanted: MonotoneExpect, series: Series | None) -> Ruling:
    """Compare the mean of each window with the one before it, rounded once each."""
    window = wanted.window
    over = f", means of {window} steps" if window > 1 else ""
    slack = f", tolerance {wanted.tolerance!r}" if wanted.tolerance else ""
    expected = f"a {wanted.direction} series{over}{slack}"
    if series is None:
        return Ruling("monotone", passed=False, expected=expected, found=None)
    count = len(series.values) // window
    if count < 2:
        found = f"{len(series.values)} values, and two windows need {2 * window}"
        return Ruling("monotone", passed=False, expected=expected, found=found)
    means = (_mean(series.values[at * window : (at + 1) * window]) for at in range(count))
    sign = 1 if wanted.direction == "falling" else -1
    for at, (before, after) in enumerate(pairwise(means), 1):
        if not sign * after <= sign * before + wanted.tolerance * abs(before):
            step = series.steps[at * window]
            found = f"{after!r} after {before!r} at step {step}"
            return Ruling("monotone", passed=False, expected=expected, found=found)
    return Ruling("monotone", passed=True, expected=expected, found=_counted(series))


def _mean(values: Sequence[float]) -> float:
    try:
        return math.fsum(values) / len(values)
    except (OverflowError, ValueError):  # infinities of both signs, or a sum above every double
        return math.nan


def _shape(wanted: Sequence[int | str], seen: Observed, name: str) -> Ruling:
    expected = f"shape {_sizes(wanted)}"
    facts = seen.tensors.get(name)
    if facts is None:
        return Ruling("shape", passed=False, expected=expected, found=None)
    for shape in facts.shapes:
        fits = len(shape) == len(wanted) and all(
            size in {one, "any"} for size, one in zip(wanted, shape, strict=True)
        )
        if not fits:
            return Ruling("shape", passed=False, expected=expected, found=_sizes(shape))
    return Ruling("shape", passed=True, expected=expected, found=_sizes(facts.shapes[0]))


def _sizes(shape: Sequence[int | str]) -> str:
    return f"[{', '.join(map(str, shape))}]"


def _classes(wanted: ClassesExpect, seen: Observed, name: str) -> Iterator[Ruling]:
    shares = _shares(seen.class_counts(name))
    if wanted.min_share is not None:
        expected = f"at least {wanted.min_share!r} of each class"
        yield _bounded("min-share", expected, shares, wanted.min_share, 1.0)
    if wanted.max_share is not None:
        expected = f"at most {wanted.max_share!r} of each class"
        yield _bounded("max-share", expected, shares, 0.0, wanted.max_share)
    if wanted.shares:
        yield _compared("shares", "the given shares", shares, wanted.shares, wanted.tolerance)
    if wanted.like is not None:
        other = _shares(seen.class_counts(wanted.like))
        expected = f"the shares of {wanted.like}"
        yield _compared("like", expected, shares if other else None, other or {}, wanted.tolerance)


def _shares(counts: Mapping[str, float]) -> dict[str, float] | None:
    """Return the share of each class; None where no class was counted."""
    if not counts:
        return None
    total = math.fsum(counts.values()) if all(map(math.isfinite, counts.values())) else math.nan
    return {name: count / total if total else math.nan for name, count in counts.items()}


def _bounded(
    rule: str, expected: str, shares: Mapping[str, float] | None, low: float, high: float
) -> Ruling:
    if shares is None:
        return Ruling(f"classes.{rule}", passed=False, expected=expected, found=None)
    for name, share in sorted(shares.items()):
        if not low <= share <= high:
            found = f"{share!r} of class {name}"
            return Ruling(f"classes.{rule}", passed=False, expected=expected, found=found)
    found = f"{min(shares.values())!r} to {max(shares.values())!r} of {len(shares)} classes"
    return Ruling(f"classes.{rule}", passed=True, expected=expected, found=found)


def _compared(
    rule: str,
    expected: str,
    shares: Mapping[str, float] | None,
    wanted: Mapping[str, float],
    tolerance: float,
) -> Ruling:
    expected = f"{expected}, tolerance {tolerance!r}"
    if shares is None:
        return Ruling(f"classes.{rule}", passed=False, expected=expected, found=None)
    for name in sorted(shares.keys() | wanted.keys()):
        share, other = shares.get(name, 0.0), wanted.get(name, 0.0)
        if not abs(share - other) <= tolerance:
            found = f"{share!r} of class {name}, not {other!r}"
            return Ruling(f"classes.{rule}", passed=False, expected=expected, found=found)
    found = f"{len(shares)} classes with such shares"
    return Ruling(f"classes.{rule}", passed=True, expected=expected, found=found)

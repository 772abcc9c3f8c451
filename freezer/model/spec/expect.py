"""`expect` of a spec: numerical invariants that a training's results must satisfy."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from freezer.model.base import Model


def _no_truth_value(value: Any) -> Any:
    """Refuse ``true`` where a number is meant: pydantic takes it for 1."""
    if isinstance(value, bool):
        msg = "a number, not true or false"
        raise ValueError(msg)
    try:
        return float(value) if isinstance(value, int) else value
    except OverflowError:
        msg = "the number is larger than any double"
        raise ValueError(msg) from None


def _printable(name: str) -> str:
    if not name.isprintable():
        msg = "a name may hold printable characters only"
        raise ValueError(msg)
    return name


_ROUNDING = 1e-6
"""Sums of shares that were rounded, such as 0.333333, may be off by this."""
Number = Annotated[float, BeforeValidator(_no_truth_value), Field(allow_inf_nan=False)]
Fraction = Annotated[Number, Field(ge=0, le=1)]
"""A share or a relative tolerance, from 0 to 1."""
ReportedName = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_printable)]
"""A name as a training reports it: ``loss``, ``val/accuracy``."""
Size = Annotated[int, Field(ge=0, lt=2**53, strict=True)] | Literal["any"]


def _ordered(ends: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(ends) != 2:
        msg = "two values"
        raise ValueError(msg)
    low, high = (math.nan if end == "any" else end for end in ends)
    if low > high:
        msg = "the least value first, the greatest second"
        raise ValueError(msg)
    return ends


Interval = Annotated[tuple[Number | Literal["any"], ...], AfterValidator(_ordered)]
"""The least and the greatest value."""


class MonotoneExpect(Model):
    """A series that falls, or rises, from window to window."""

    direction: Literal["falling", "rising"] = "falling"
    window: Annotated[int, Field(ge=1, le=10**6)] = 1
    """Values are averaged over this many steps in a row; a shorter last window is left out."""
    tolerance: Fraction = 0.0
    """How far a window may go the other way, relative to the one before it."""


class ClassesExpect(Model):
    """The balance of a split: shares of its classes, as ``NAME.classes.CLASS`` counts them."""

    min_share: Fraction | None = None
    """Every class has at least this share."""
    max_share: Fraction | None = None
    """No class has more than this share."""
    shares: dict[ReportedName, Fraction] = {}
    """The share of each class, within the tolerance; 0 of a class that is not named."""
    like: ReportedName | None = None
    """Another split: each class has the share that it has there, within the tolerance."""
    tolerance: Fraction = 0.0
    """The absolute difference of shares that ``shares`` and ``like`` allow."""

    @model_validator(mode="after")
    def _something_is_expected(self) -> ClassesExpect:
        if self.min_share is None and self.max_share is None and not self.shares and not self.like:
            msg = "'min-share', 'max-share', 'shares' or 'like', or nothing is expected"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _shares_can_be_reached(self) -> ClassesExpect:
        """Refuse shares that no split has: its shares add up to 1."""
        more = math.fsum(self.shares.values()) - 1
        # Classes that are not named may have up to the tolerance each.
        too_few = self.tolerance == 0 and more < -_ROUNDING
        if self.shares and (too_few or more > len(self.shares) * self.tolerance + _ROUNDING):
            msg = f"shares that add up to 1; these add up to {1 + more:g}"
            raise ValueError(msg)
        return self


def _widen_monotone(value: Any) -> Any:
    return {"direction": value} if isinstance(value, str) else value


class Expectation(Model):
    """What is expected of one number, series, tensor or split that a training reports."""

    finite: bool = False
    """No value is NaN or infinite, at any step."""
    range: Interval | None = None
    """Every value is between these two, at every step; ``any`` leaves an end open."""
    floor: Number | None = None
    """The last value is at least this."""
    ceiling: Number | None = None
    """The last value is at most this."""
    monotone: Annotated[MonotoneExpect | None, BeforeValidator(_widen_monotone)] = None
    """``falling`` or ``rising``, or a mapping with ``window`` and ``tolerance``."""
    shape: tuple[Size, ...] | None = None
    """The sizes of a tensor; ``any`` where a size is free."""
    classes: ClassesExpect | None = None
    """The class balance of a split."""
    in_: Literal["both", "run", "check"] = Field(default="both", alias="in")
    """Where it is held: in ``freeze run``, in ``freeze check``, or in both."""
    optional: bool = False
    """Whether a training that does not report it satisfies it; else it does not."""

    @model_validator(mode="after")
    def _something_is_expected(self) -> Expectation:
        bounds = (self.range, self.floor, self.ceiling, self.monotone, self.shape, self.classes)
        if not self.finite and all(bound is None for bound in bounds):
            msg = "at least one of finite, range, floor, ceiling, monotone, shape and classes"
            raise ValueError(msg)
        if self.floor is not None and self.ceiling is not None and self.floor > self.ceiling:
            msg = "'floor' is above 'ceiling', so that no value satisfies both"
            raise ValueError(msg)
        return self


Expectations = dict[ReportedName, Expectation]
"""By the name of what is expected."""

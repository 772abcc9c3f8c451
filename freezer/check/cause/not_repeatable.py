"""Likely reasons why two runs of one image differ, from the first difference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.model.record.verdict import Difference

_ROUNDING: Final = 1e-3
"""Relative error below which a difference is probably due to rounding."""


def why_not_repeatable(first: Difference, inputs: Sequence[str]) -> str:
    """Return the likely reason of a difference between two runs of one image. Pure."""
    if any("random numbers" in sentence for sentence in inputs):
        return "it draws from a generator without a fixed seed; call seed_everything() first"
    if inputs or first.what.startswith(("data ", "setting ", "version ")):
        return (
            "its input is not the same in every run: a clock, a set's order, or an unseeded shuffle"
        )
    if first.relative is not None and 0 < first.relative < _ROUNDING:
        return (
            "the difference is as small as rounding: threads that add in the order in which they "
            "end (scatter, index_add, a parallel forest) are likely; try with one thread"
        )
    return (
        "the difference is too large for rounding: first weights, dropout, shuffling or a clock "
        "without a fixed seed are likely; call seed_everything() first"
    )

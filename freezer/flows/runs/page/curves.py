"""Reduces series of metrics for a page: few points, and a digest of all. Pure."""

from __future__ import annotations

import hashlib
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from freezer.ledger.series import packed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.ledger.series import Points

FEWEST: Final = 32
"""Points that every series may keep, however many series there are."""


@dataclass(frozen=True)
class Curve:
    """A series, or the points of it that show its shape."""

    steps: array[int]
    values: array[float]
    count: int
    """Points of the whole series."""
    digest: str
    """Of steps and values of the whole series: equal digests, equal series to the bit."""


def curve(points: Points, most: int) -> Curve:
    """Return a series in at most ``most`` points: the first, the last, and the extremes between."""
    steps, _, values = packed(points)
    digest = hashlib.sha256(b"%d " % len(points) + steps + values).hexdigest()[:16]
    kept = _kept(points.values, most)
    return Curve(
        steps=array("q", (points.steps[one] for one in kept)),
        values=array("d", (points.values[one] for one in kept)),
        count=len(points),
        digest=digest,
    )


def share(lengths: Sequence[int], budget: int) -> int:
    """Return how many points each series may keep, so that all together keep a budget.

    Short series leave their share to long ones; no series gets fewer than `FEWEST`.
    """
    left, remaining = budget, len(lengths)
    for length in sorted(lengths):
        if length * remaining > left:
            return max(FEWEST, left // remaining)
        left, remaining = left - length, remaining - 1
    return max(FEWEST, *lengths) if lengths else FEWEST


def _kept(values: array[float], most: int) -> list[int]:
    """Return the places of the points that are kept, in order.

    The series is cut into equal parts, of which each keeps its least and its greatest value: a
    spike of one step stays visible. NaN is kept where a part holds nothing else.
    """
    if len(values) <= most:
        return list(range(len(values)))
    inner, parts = len(values) - 2, max(1, (most - 2) // 2)
    kept = {0, len(values) - 1}
    for part in range(parts):
        span = range(1 + inner * part // parts, 1 + inner * (part + 1) // parts)
        usable = [place for place in span if values[place] == values[place]] or span[:1]
        kept |= {min(usable, key=values.__getitem__), max(usable, key=values.__getitem__)}
    return sorted(kept)

"""Loss curves as SVG: expected, found, and the step from which they differ."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.check.compare.metrics import Curve

WIDTH: Final = 640
HEIGHT: Final = 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 12, 10, 26


def loss_chart(curve: Curve) -> str:
    """Return a curve as an SVG element, without any text of a user."""
    values = [v for v in (*curve.expected, *curve.found) if v is not None and math.isfinite(v)]
    if not values or not curve.steps:
        return ""
    low, high = min(values), max(values)
    # Halved, because the difference of two doubles may overflow.
    spread = (high / 2 - low / 2) or abs(high) or 1.0
    first, last = curve.steps[0], curve.steps[-1]

    def x(step: int) -> float:
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * (step - first) / ((last - first) or 1)

    def y(value: float) -> float:
        return _TOP + (HEIGHT - _TOP - _BOTTOM) * (1 - (value / 2 - low / 2) / spread)

    def line(kind: str, numbers: Sequence[float | None]) -> str:
        points = " ".join(
            f"{x(step):.1f},{y(value):.1f}"
            for step, value in zip(curve.steps, numbers, strict=True)
            if value is not None and math.isfinite(value)
        )
        return f'<polyline class="{kind}" points="{points}"/>'

    floor = HEIGHT - _BOTTOM
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" preserveAspectRatio="xMidYMid meet">',
        f'<line class="axis" x1="{_LEFT}" y1="{floor}" x2="{WIDTH - _RIGHT}" y2="{floor}"/>',
        f'<text x="{_LEFT - 6}" y="{_TOP + 8}" text-anchor="end">{high:.4g}</text>',
        f'<text x="{_LEFT - 6}" y="{floor}" text-anchor="end">{low:.4g}</text>',
        f'<text x="{_LEFT}" y="{HEIGHT - 8}">step {first}</text>',
        f'<text x="{WIDTH - _RIGHT}" y="{HEIGHT - 8}" text-anchor="end">{last}</text>',
        line("expected", curve.expected),
        line("found", curve.found),
    ]
    if curve.apart:
        at = x(curve.apart[0])
        anchor = "end" if at > WIDTH / 2 else "start"
        shift = -4 if anchor == "end" else 4
        parts.append(f'<line class="parts" x1="{at:.1f}" y1="{_TOP}" x2="{at:.1f}" y2="{floor}"/>')
        parts.append(
            f'<text class="parts" x="{at + shift:.1f}" y="{_TOP + 10}" text-anchor="{anchor}">'
            f"differs from step {curve.apart[0]}</text>"
        )
    return "".join([*parts, "</svg>"])

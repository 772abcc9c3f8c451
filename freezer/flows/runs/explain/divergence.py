"""Where the results of two runs diverge: first step, distance and growth. Pure."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.check.artifacts.names import stable_path
from freezer.check.compare.ulps import Distance, number_distance

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freezer.ledger.series import Points
    from freezer.model.record.run import Output, Run


@dataclass(frozen=True)
class Divergence:
    """A metric that two runs have, and in which they differ."""

    name: str
    step: int | None
    """The first step at which they differ; None for a metric without steps."""
    first: float
    """Of the one run at that step."""
    second: float
    distance: Distance
    """Between these two."""
    last: Distance
    """Between the last values that both have."""


@dataclass(frozen=True)
class Results:
    """The results of two runs, compared to the bit."""

    same: tuple[str, ...]
    """Metrics whose every value is the same."""
    parted: tuple[Divergence, ...]
    """Those that differ, the earliest first."""
    missing: tuple[str, ...]
    """Metrics that only one of the runs has, or of which it has more values."""
    outputs_same: tuple[str, ...]
    outputs_differ: tuple[str, ...]
    outputs_missing: tuple[str, ...]

    @property
    def compared(self) -> int:
        """Number of compared results; with 0 nothing is known."""
        return sum(map(len, (self.same, self.parted, self.outputs_same, self.outputs_differ)))

    @property
    def identical(self) -> bool:
        """Whether anything was compared and all of it is equal."""
        different = (self.parted, self.missing, self.outputs_differ, self.outputs_missing)
        return self.compared > 0 and not any(different)


def results(
    first: Run, second: Run, one: Mapping[str, Points], other: Mapping[str, Points]
) -> Results:
    """Compare the results of two runs: series, last values, output files."""
    names = _metrics(first) | _metrics(second) | one.keys() | other.keys()
    same, parted, missing = [], [], []
    for name in sorted(names):
        left, right = _values(first, one, name), _values(second, other, name)
        if len(left) != len(right):
            missing.append(name)
        found = _parting(name, left, right)
        if found is not None:
            parted.append(found)
        elif len(left) == len(right):
            same.append(name)
    mine, its = _outputs(first), _outputs(second)
    both = sorted(mine.keys() & its.keys())
    return Results(
        same=tuple(same),
        parted=tuple(sorted(parted, key=lambda item: (item.step or 0, item.name))),
        missing=tuple(missing),
        outputs_same=tuple(path for path in both if _equal(mine[path], its[path])),
        outputs_differ=tuple(path for path in both if not _equal(mine[path], its[path])),
        outputs_missing=tuple(sorted(mine.keys() ^ its.keys())),
    )


def _outputs(run: Run) -> dict[str, list[Output]]:
    """Return a run's output files by path, with random parts of names replaced."""
    found: dict[str, list[Output]] = {}
    for item in run.outputs:
        found.setdefault(stable_path(item.path), []).append(item)
    return found


def _equal(some: list[Output], others: list[Output]) -> bool:
    """Return whether files are equal by bytes, or else by content.

    By their bytes first: a run that was recorded before its format was known has no content digest.
    """
    if sorted(one.sha256 for one in some) == sorted(one.sha256 for one in others):
        return True
    keys = [sorted(one.content or one.sha256 for one in files) for files in (some, others)]
    return keys[0] == keys[1]


def _metrics(run: Run) -> set[str]:
    return {name for name in run.fields if name.startswith("metrics.")}


def _values(run: Run, series: Mapping[str, Points], name: str) -> list[tuple[int | None, float]]:
    points = series.get(name)
    if points is not None:
        return list(zip(points.steps, points.values, strict=True))
    value = run.fields.get(name)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return [(None, float(value))] if is_number else []  # type: ignore[arg-type]


def _parting(
    name: str, left: list[tuple[int | None, float]], right: list[tuple[int | None, float]]
) -> Divergence | None:
    pairs = list(zip(left, right, strict=False))
    for (step, first), (other_step, second) in pairs:
        if step != other_step or _bits(first) != _bits(second):
            last = number_distance(pairs[-1][0][1], pairs[-1][1][1])
            return Divergence(name, step, first, second, number_distance(first, second), last)
    return None


def _bits(value: float) -> bytes:
    return struct.pack("<d", value)

"""`freeze runs summary`: statistics over runs that differ in their seed alone. Pure."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from freezer.model.record.run import Run, Value


@dataclass(frozen=True)
class Spread:
    """One metric over several runs."""

    count: int
    mean: float
    deviation: float | None
    """The sample's standard deviation; None for a single run."""
    least: float
    greatest: float
    unusable: int
    """Number of runs in which it was NaN or infinite; excluded from the other statistics."""


@dataclass(frozen=True)
class Group:
    """Runs of the same lock, code, data and parameters."""

    what: dict[str, Value]
    """Fields in which this group differs from others."""
    runs: tuple[str, ...]
    seeds: tuple[int, ...]
    states: dict[str, int]
    metrics: dict[str, Spread]
    repeated: int
    """Repetitions: runs with a seed that another run of the group has too."""
    identical: int
    """Of these, those with the same metrics to the bit."""


_ALIKE = ("lock", "template")
_CODE = ("git.commit", "git.patch")


def summary(runs: Iterable[Run]) -> list[Group]:
    """Return the groups of some runs, the largest first."""
    found: dict[tuple[tuple[str, str], ...], list[Run]] = defaultdict(list)
    for run in runs:
        found[tuple(sorted((name, repr(value)) for name, value in _key(run).items()))].append(run)
    keys = [dict(key) for key in found]
    varying = {name for key in keys for name in key if any(o.get(name) != key[name] for o in keys)}
    groups = [_group(some, varying) for some in found.values()]
    return sorted(groups, key=lambda one: (-len(one.runs), repr(sorted(one.what.items()))))


def _key(run: Run) -> dict[str, Value]:
    """Return the key of a group: everything that was given to the run except the seed.

    What a training reports, such as a ``random_state``, may follow from the seed. It only counts
    where the code is not known: a change of the code may show in nothing else.
    """
    fields = run.fields
    key = {name: fields[name] for name in _ALIKE if name in fields}
    if "git.files" in fields:
        key["git.files"] = fields["git.files"]
    else:
        key |= {name: fields[name] for name in _CODE if name in fields}
    for name, value in fields.items():
        kind, _, rest = name.partition(".")
        given = f"given.{rest}" if kind == "params" else f"{name}.list" if kind == "data" else None
        if given is not None and (given in fields or "git.files" not in fields):
            key[name] = value
    return {name: value for name, value in key.items() if not name.endswith(".list")}


def _group(runs: list[Run], varying: set[str]) -> Group:
    by_seed: dict[int, list[Run]] = defaultdict(list)
    for run in runs:
        by_seed[int(run.fields.get("seed", 0))].append(run)  # type: ignore[arg-type]
    again = [some for some in by_seed.values() if len(some) > 1]
    states: dict[str, int] = defaultdict(int)
    for run in runs:
        states[run.state] += 1
    names = {name for run in runs for name in run.fields if name.startswith("metrics.")}
    return Group(
        what={name: value for name, value in _key(runs[0]).items() if name in varying},
        runs=tuple(run.id for run in runs),
        seeds=tuple(sorted(by_seed)),
        states=dict(states),
        metrics={name: _spread(runs, name) for name in sorted(names)},
        repeated=sum(len(some) - 1 for some in again),
        identical=sum(_metrics(one) == _metrics(some[0]) for some in again for one in some[1:]),
    )


def _metrics(run: Run) -> dict[str, str]:
    return {
        name: float(value).hex()
        for name, value in run.fields.items()
        if name.startswith("metrics.") and isinstance(value, int | float)
    }


def _spread(runs: list[Run], name: str) -> Spread:
    values = [run.fields[name] for run in runs if name in run.fields]
    numbers = [float(one) for one in values if isinstance(one, int | float)]
    usable = [one for one in numbers if math.isfinite(one)]
    return Spread(
        count=len(usable),
        mean=statistics.fmean(usable) if usable else math.nan,
        deviation=statistics.stdev(usable) if len(usable) > 1 else None,
        least=min(usable, default=math.nan),
        greatest=max(usable, default=math.nan),
        unusable=len(numbers) - len(usable),
    )

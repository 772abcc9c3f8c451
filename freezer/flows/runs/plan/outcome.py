"""Evaluates a plan: its runs by condition and seed, and its criterion. Pure."""

from __future__ import annotations

import itertools
import math
import statistics
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from freezer.model.record.plan import Criterion, same_setting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from freezer.model.record.plan import Plan
    from freezer.model.record.run import Run

Finding = Literal["refuted", "not refuted", "undecided", "for the reader"]


@dataclass(frozen=True)
class Made:
    """The run that counts for a seed: the first one that finished."""

    run: str
    value: float
    """The last value of the plan's metric."""
    repeated: int = 0
    """Further runs of the same seed."""
    identical: int = 0
    """Of these, those with the same value to the bit."""


@dataclass(frozen=True)
class Condition:
    """One combination of what changes, over its seeds."""

    values: Mapping[str, str]
    made: Mapping[int, Made]
    """By seed."""
    missing: tuple[int, ...]
    """Planned seeds without a finished run; empty where any seeds will do."""
    missing_count: int
    unusable: tuple[str, ...]
    """Runs that failed, were interrupted, or reported no such metric."""
    running: tuple[str, ...]

    @property
    def metrics(self) -> list[float]:
        """The values of the metric, in the order of the seeds."""
        return [self.made[seed].value for seed in sorted(self.made)]


@dataclass(frozen=True)
class PlanOutcome:
    """The runs of a plan, and the result of its criterion."""

    plan: Plan
    conditions: tuple[Condition, ...]
    unplanned: tuple[str, ...]
    """Runs with the plan whose parameters or seed are none of it; they count for nothing."""
    finding: Finding
    why: str

    @property
    def missing(self) -> int:
        """How many planned runs were not made."""
        return sum(one.missing_count for one in self.conditions)


@dataclass
class _Found:
    """Runs of one condition while they are sorted."""

    made: dict[int, Made] = field(default_factory=dict)
    unusable: list[str] = field(default_factory=list)
    running: list[str] = field(default_factory=list)


def conditions_of(plan: Plan) -> list[dict[str, str]]:
    """Return each combination of what changes, the last parameter changing fastest."""
    values = itertools.product(*plan.changes.values())
    return [dict(zip(plan.changes, one, strict=True)) for one in values]


def belongs(plan: Plan, params: Mapping[str, str], seed: int) -> bool:
    """Return whether the plan includes a run with these parameters and this seed."""
    wanted = plan.seeds if isinstance(plan.seeds, tuple) else (seed,)
    return seed in wanted and all(
        name in params and any(same_setting(params[name], value) for value in values)
        for name, values in plan.changes.items()
    )


def outcome(plan: Plan, runs: Iterable[Run]) -> PlanOutcome:
    """Evaluate a plan with the runs that were made for it."""
    conditions = conditions_of(plan)
    found: dict[int, _Found] = defaultdict(_Found)
    unplanned: list[str] = []
    for run in sorted(runs, key=lambda one: (one.started, one.id)):
        number = _condition(plan, conditions, run)
        if number is None or not _take(plan, found[number], run):
            unplanned.append(run.id)
    made = tuple(_made(plan, one, found[number]) for number, one in enumerate(conditions))
    finding, why = _finding(plan, made)
    return PlanOutcome(plan, made, tuple(unplanned), finding, why)


def _condition(plan: Plan, conditions: Sequence[Mapping[str, str]], run: Run) -> int | None:
    params = {
        name: str(run.fields.get(f"given.{name}", run.fields.get(f"params.{name}", "")))
        for name in plan.changes
    }
    if not belongs(plan, params, _seed(run)):
        return None
    return next(
        number
        for number, one in enumerate(conditions)
        if all(same_setting(params[name], value) for name, value in one.items())
    )


def _seed(run: Run) -> int:
    seed = run.fields.get("seed")
    return seed if isinstance(seed, int) else -1


def _take(plan: Plan, found: _Found, run: Run) -> bool:
    """Add a run; return False if its seed is not planned."""
    seed, value = _seed(run), run.fields.get(plan.metric_field)
    if run.state == "running":
        found.running.append(run.id)
    elif run.state != "finished" or isinstance(value, bool) or not isinstance(value, int | float):
        found.unusable.append(run.id)
    elif seed in found.made:
        before = found.made[seed]
        alike = float(value).hex() == before.value.hex()
        found.made[seed] = Made(
            before.run, before.value, before.repeated + 1, before.identical + alike
        )
    elif isinstance(plan.seeds, int) and len(found.made) >= plan.seeds:
        return False
    else:
        found.made[seed] = Made(run.id, float(value))
    return True


def _made(plan: Plan, values: Mapping[str, str], found: _Found) -> Condition:
    if isinstance(plan.seeds, int):
        missing: tuple[int, ...] = ()
        count = plan.seeds - len(found.made)
    else:
        missing = tuple(seed for seed in plan.seeds if seed not in found.made)
        count = len(missing)
    return Condition(
        values, dict(found.made), missing, count, tuple(found.unusable), tuple(found.running)
    )


def _finding(plan: Plan, conditions: Sequence[Condition]) -> tuple[Finding, str]:
    """Evaluate the stated criterion, and nothing beyond it."""
    if isinstance(plan.refuted_by, str):
        return "for the reader", f"would be refuted by: {plan.refuted_by}"
    missing = sum(one.missing_count for one in conditions)
    if missing:
        return "undecided", f"{missing} of the planned runs are missing"
    criterion = plan.refuted_by
    mean = _mean(conditions, criterion.mean_of)
    bound = criterion.bound
    limit = bound if isinstance(bound, float) else _mean(conditions, bound)
    if not math.isfinite(mean) or not math.isfinite(limit):
        return "undecided", "a mean is not finite"
    holds = _holds(criterion, mean, limit)
    what = f"mean {mean:.6g}{_of(criterion.mean_of)}"
    margin = f" (margin {criterion.margin:g})" if criterion.margin else ""
    wanted = "at most" if criterion.at_most is not None else "at least"
    against = "" if isinstance(bound, float) else _of(bound)
    verb = "is" if holds else "is not"
    why = f"{what} {verb} {wanted} {limit:.6g}{against}{margin}"
    return ("refuted" if holds else "not refuted"), why


def _holds(criterion: Criterion, mean: float, limit: float) -> bool:
    if criterion.at_most is not None:
        return mean <= limit + criterion.margin
    return mean >= limit - criterion.margin


def _mean(conditions: Sequence[Condition], cell: Mapping[str, str]) -> float:
    values = [
        value
        for one in conditions
        if all(same_setting(one.values[name], wanted) for name, wanted in cell.items())
        for value in one.metrics
    ]
    return statistics.fmean(values) if values else math.nan


def _of(cell: Mapping[str, str]) -> str:
    return f" of {', '.join(f'{name}={value}' for name, value in cell.items())}" if cell else ""

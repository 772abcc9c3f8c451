"""Output of `freeze runs summary --plan`."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from freezer.output.runs.runs import encode_number
from freezer.output.text import plural, printable, show_rows

if TYPE_CHECKING:
    from rich.console import Console

    from freezer.flows.runs.plan.outcome import Condition, PlanOutcome

_STYLES = {
    "refuted": "red",
    "not refuted": "green",
    "undecided": "yellow",
    "for the reader": "yellow",
}


def show_plan(found: PlanOutcome, console: Console) -> None:
    """Print what was run of a plan, the metric by seed, and what its criterion says."""
    plan = found.plan
    _line(console, f"[bold]hypothesis[/bold] {_safe(plan.hypothesis)}")
    for one in found.conditions:
        _show_condition(one, plan.metric, console)
    if found.unplanned:
        listed = ", ".join(run[:8] for run in found.unplanned[:10])
        _line(console, f"not in the plan, not counted: {listed}")
    made = sum(len(one.made) for one in found.conditions)
    _line(console, f"{made} of {plural(made + found.missing, 'planned run')} made")
    _line(console, f"[{_STYLES[found.finding]}]{found.finding}[/]: {_safe(found.why)}")
    if found.finding == "not refuted":
        _line(console, "that the criterion does not hold does not show that the hypothesis is true")


def _show_condition(one: Condition, metric: str, console: Console) -> None:
    title = ", ".join(f"{name} {value}" for name, value in one.values.items()) or "all runs"
    _line(console, f"[bold]{_safe(title)}[/bold]")
    rows = [
        (f"  seed {seed}", f"{made.value:.9g}", f"[dim]{made.run[:8]}", _repeated(made))
        for seed, made in sorted(one.made.items())
    ]
    if rows:
        show_rows([("[dim]  ", f"[dim]{_safe(metric)}", "", ""), *rows], console)
    usable = [value for value in one.metrics if math.isfinite(value)]
    if len(usable) > 1:
        deviation = statistics.stdev(usable)
        _line(console, f"  mean {statistics.fmean(usable):.6g}, deviation {deviation:.3g}")
    if one.missing_count:
        seeds = f": seed {', '.join(map(str, one.missing[:20]))}" if one.missing else ""
        _line(console, f"  [yellow]missing[/yellow] {plural(one.missing_count, 'run')}{seeds}")
    for words, runs in (("running", one.running), ("without the metric", one.unusable)):
        if runs:
            _line(console, f"  {words}: {', '.join(run[:8] for run in runs[:10])}")


def plan_document(found: PlanOutcome) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    return {
        "hypothesis": found.plan.hypothesis,
        "metric": found.plan.metric_field,
        "conditions": [
            {
                "params": dict(one.values),
                "made": [
                    {
                        "seed": seed,
                        "run": made.run,
                        "value": encode_number(made.value),
                        "repeated": made.repeated,
                        "identical": made.identical,
                    }
                    for seed, made in sorted(one.made.items())
                ],
                "missing": one.missing_count,
                "missing-seeds": list(one.missing),
                "running": list(one.running),
                "unusable": list(one.unusable),
            }
            for one in found.conditions
        ],
        "unplanned": list(found.unplanned),
        "missing": found.missing,
        "finding": found.finding,
        "why": found.why,
    }


def _repeated(made: Any) -> str:
    if not made.repeated:
        return ""
    return f"made again {made.repeated}, identical {made.identical}"


def _line(console: Console, text: str) -> None:
    console.print(text, highlight=False, soft_wrap=True)


def _safe(words: str) -> str:
    return escape(printable(words))

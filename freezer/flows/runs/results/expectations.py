"""Evaluates the spec's expectations for a run, and records the outcomes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freezer.flows.runs.protocol import Report
    from freezer.ledger.series import Points
    from freezer.model.record.outcome import Outcome
    from freezer.model.record.run import Run, Value
    from freezer.model.spec.expect import Expectation

FIELD: Final = "expectations"
"""``passed`` or ``failed``: whether a run met all of them."""
_METRICS: Final = "metrics."


def outcomes_of(
    expectations: Mapping[str, Expectation],
    run: Run,
    report: Report,
    metrics: Mapping[str, Points],
) -> tuple[Outcome, ...]:
    """Return the outcomes of the expectations; none for an interrupted run."""
    if not expectations or run.state == "interrupted":
        return ()
    from freezer.check.invariants.hold import in_run  # what compares, loaded once needed
    from freezer.check.invariants.observed import Observed, Series

    series = {
        name.removeprefix(_METRICS): Series(points.steps, points.values)
        for name, points in metrics.items()
    }
    return in_run(expectations, Observed(series, report.tensors))


def with_outcomes(run: Run, outcomes: Sequence[Outcome]) -> Run:
    """Return a run with the outcomes as fields; it is ``failed`` if one of them is.

    The exit code stays the one of the training.
    """
    if not outcomes:
        return run
    failed = [one for one in outcomes if one.state == "failed"]
    fields: dict[str, Value] = {FIELD: "failed" if failed else "passed"}
    for one in outcomes:
        fields[f"expect.{one.name}.{one.rule}"] = one.state
    for one in failed:
        fields[f"expect.{one.name}.{one.rule}.found"] = one.found
    state = "failed" if failed and run.state == "finished" else run.state
    return replace(run.with_fields(fields), state=state)

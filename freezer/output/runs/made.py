"""Documents of `freeze run --json`: runs that ended, and those that could not start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freezer.output.runs.runs import run_document
from freezer.output.text import as_json, redacted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from freezer.fleet.trainings.submission import Submission
    from freezer.flows.runs.run import RunDone


def made_document(done: RunDone) -> dict[str, Any]:
    """Return the facts of a run that ended: those of `freeze runs show`, and how it was made."""
    return {
        **run_document(done.run),
        "status": done.status,
        "output": str(done.output),
        "expectations": [as_json(one) for one in done.outcomes],
        "recorded": done.recorded,
        "record": done.place,
    }


def not_made_document(
    status: int, error: Mapping[str, Any] | None, run: str | None = None
) -> dict[str, Any]:
    """Return the facts of a run that did not start, or whose process left nothing."""
    state = "not made" if run is None else "interrupted"
    return {"id": run, "state": state, "status": status, "error": redacted(error)}


def detached_document(identifier: str, log: Path, total: int | None) -> dict[str, Any]:
    """Return the facts of a detached run or sweep; only a sweep has a ``total``."""
    if total is None:
        return {"id": identifier, "state": "running", "log": str(log)}
    return {"sweep": identifier, "state": "running", "total": total, "log": str(log)}


def submitted_document(sweep: str | None, runs: Sequence[Submission]) -> dict[str, Any]:
    """Return the facts of a run or sweep that was handed to a cluster."""
    job = runs[0].job
    if sweep is None:
        return {"id": runs[0].run, "state": "running", "job": job, "spool": runs[0].folder}
    return {
        "sweep": sweep,
        "state": "running",
        "total": len(runs),
        "job": job,
        "runs": [{"id": one.run, "job": one.number, "spool": one.folder} for one in runs],
    }


def sweep_document(
    sweep: str | None, runs: Sequence[Mapping[str, Any]], status: int, *, total: int
) -> dict[str, Any]:
    """Return the facts of a sweep; runs that were not started are in ``total`` alone."""
    return {"sweep": sweep, "status": status, "total": total, "runs": list(runs)}

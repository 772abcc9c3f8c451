"""A plan's file, and the runs of the ledger that were made with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.errors import PlanError, Where
from freezer.flows.runs.folders import has_ledger
from freezer.flows.runs.plan.outcome import PlanOutcome, belongs, outcome
from freezer.model.canonical import digest
from freezer.model.record.plan import PlanFile, read_plan

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from freezer.flows.project.project import Project

LARGEST = 1 << 20
"""Bytes of a plan."""


def plan_file(path: Path) -> PlanFile:
    """Return the plan in a file. Raises ``PlanError``."""
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST + 1)
    except OSError as error:
        raise PlanError(
            "the plan cannot be read", where=Where(str(path)), found=error.strerror or str(error)
        ) from None
    return read_plan(data, str(path))


def warn_of_unplanned(
    project: Project, file: PlanFile, params: Mapping[str, str], seed: int
) -> None:
    """Warn about a run that is not in its plan: it is recorded, but not evaluated."""
    if not belongs(file.plan, params, seed):
        project.report.warn(
            "the plan has no run with these parameters and this seed: it is recorded, "
            "but not counted"
        )


def planned_locks(project: Project) -> frozenset[str]:
    """Return the IDs of the locks of runs that were made with a plan; none without a ledger."""
    if not has_ledger(project):
        return frozenset()
    from freezer.flows.runs.queries import fields, find  # loads SQLAlchemy

    if "plan" not in fields(project):
        return frozenset()
    runs = find(project, "plan is not null").runs
    return frozenset(str(run.fields["lock"]) for run in runs if "lock" in run.fields)


def plan_outcome(project: Project, file: PlanFile, query: str | None = None) -> PlanOutcome:
    """Evaluate a plan; a filter may exclude some of its runs. Raises ``QueryError``."""
    from freezer.flows.runs.queries import fields, find  # loads SQLAlchemy; a run asks nothing

    wanted = f"plan = '{digest(file.data)}'"
    if query is not None and query.strip():
        wanted = f"({query}) and {wanted}"
    known = "plan" in fields(project)
    return outcome(file.plan, find(project, wanted).runs if known else ())

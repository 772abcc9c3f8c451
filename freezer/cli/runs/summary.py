"""``freeze runs summary``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from freezer.cli.options import Json
from freezer.cli.runs.shared.options import Query
from freezer.cli.session import current


def summary(
    query: Query = None,
    plan: Annotated[
        Path | None,
        typer.Option(
            "--plan", metavar="FILE", help="What was run of this plan, and what came out."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Show mean and spread of the metrics over seeds, and how many repeated runs were identical."""
    from freezer.flows.runs.queries import find
    from freezer.flows.runs.summary import summary as group
    from freezer.output.runs.runs import show_summary, summary_document

    if plan is not None:
        _summary_of_plan(plan, query, json=json)
        return
    groups = group(find(current.project(), query).runs)
    if json:
        current.emit(summary_document(groups))
    else:
        show_summary(groups, current.stdout)


def _summary_of_plan(plan: Path, query: str | None, *, json: bool) -> None:
    from freezer.flows.runs.plan.read import plan_file, plan_outcome
    from freezer.output.runs.plan import plan_document, show_plan

    found = plan_outcome(current.project(), plan_file(plan), query)
    if json:
        current.emit(plan_document(found))
    else:
        show_plan(found, current.stdout)

"""``freeze runs list``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from freezer.cli.options import Json
from freezer.cli.runs.shared.options import Limit, Order, Query
from freezer.cli.session import current

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.flows.project.project import Project
    from freezer.flows.runs.processes.sweeps import Sweep


def list(  # noqa: A001 - the command's name
    query: Query = None,
    sort: Order = None,
    limit: Limit = 50,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print CSV, a column for each field.")
    ] = False,
    json: Json = False,
) -> None:
    """List runs, the latest first; a filter chooses among them. Detached sweeps come below."""
    from freezer.flows.runs.queries import find
    from freezer.ledger.exchange.table import table
    from freezer.output.runs.runs import document, show
    from freezer.output.runs.table import csv_text

    project = current.project()
    found = find(project, query, order=sort, limit=limit)
    sweeps = _sweeps(project)
    if json:
        from freezer.flows.runs.processes.sweeps import sweep_document

        current.emit({**document(found), "sweeps": [sweep_document(one) for one in sweeps]})
    elif as_csv:
        typer.echo(csv_text(table(found.runs)), nl=False)
    else:
        show(found, current.stdout)
        for one in sweeps:
            from freezer.output.runs.sweeps import HOW, sweep_line

            current.stdout.print(f"{sweep_line(one)}; {HOW}", highlight=False, soft_wrap=True)


def _sweeps(project: Project) -> Sequence[Sweep]:
    """Return the sweeps under way; where there is none, one folder is listed."""
    from freezer.flows.runs.folders import any_sweep_under_way

    if not any_sweep_under_way(project.root):
        return ()
    from freezer.flows.runs.processes.sweeps import sweeps_under_way

    return sweeps_under_way(project)

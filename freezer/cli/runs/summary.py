"""``freeze runs summary``."""

from __future__ import annotations

from freezer.cli.options import Json
from freezer.cli.runs.options import Query
from freezer.cli.session import current


def summary(query: Query = None, json: Json = False) -> None:
    """Show mean and spread of the metrics over seeds, and how many repeated runs were identical."""
    from freezer.flows.runs.ask import find
    from freezer.flows.runs.summary import summary as group
    from freezer.output.runs.runs import show_summary, summary_document

    groups = group(find(current.project(), query).runs)
    if json:
        current.emit(summary_document(groups))
    else:
        show_summary(groups, current.stdout)

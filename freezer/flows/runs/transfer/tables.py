"""`freeze runs query`: runs that match a filter, with selected fields."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.errors import QueryError
from freezer.flows.runs.ledger import project_ledger
from freezer.flows.runs.queries import Found, find
from freezer.ledger.exchange.table import Table, table
from freezer.ledger.query import field_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.flows.project.project import Project


@dataclass(frozen=True)
class FoundTable:
    """The result of a query."""

    found: Found
    table: Table
    chosen: bool
    """Whether columns were selected; otherwise it has every field."""


def query(
    project: Project,
    text: str | None,
    *,
    columns: Sequence[str] = (),
    order: str | None = None,
    limit: int | None = None,
) -> FoundTable:
    """Return the runs that match a filter as a table, with all fields or selected ones.

    Raises ``QueryError`` for a column that no run has, and whatever `find` raises.
    """
    found = find(project, text, order=order, limit=limit)
    made = table(found.runs, columns or None)
    if columns and _has_empty_column(made):
        _require_known(project, columns)
    return FoundTable(found, made, bool(columns))


def _has_empty_column(made: Table) -> bool:
    columns = list(zip(*made.rows, strict=True))
    return not columns or any(all(one is None for one in cells) for cells in columns)


def _require_known(project: Project, columns: Sequence[str]) -> None:
    with project_ledger(project, reading=True) as ledger:
        known = field_names(ledger)
    for name in columns if known else ():
        if name not in known:
            near = difflib.get_close_matches(name, known, 3, 0.6)
            raise QueryError(
                f"no run has a field {name!r} to show",
                hint=f"did you mean {' or '.join(near)}?"
                if near
                else "`freeze runs fields` lists all",
            )

"""Output of `freeze runs query` and `freeze runs export`: tables of runs."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from freezer.ledger.exchange.table import exact
from freezer.model.record.run import encode
from freezer.output.runs.runs import text
from freezer.output.text import printable, show_rows

if TYPE_CHECKING:
    from rich.console import Console

    from freezer.ledger.exchange.table import Table


def show_table(found: Table, total: int, console: Console) -> None:
    """Print a table for people: long values are cut."""
    head = tuple(f"[dim]{escape(printable(name))}" for name in found.columns)
    rows = [
        tuple("" if value is None else escape(text(value)) for value in row) for row in found.rows
    ]
    show_rows([head, *rows], console)
    if total > len(found.rows):
        console.print(f"{len(found.rows)} of {total} runs; --limit shows more", highlight=False)


def table_document(found: Table, total: int) -> dict[str, Any]:
    """Return the facts for ``--json``: a mapping for each run, of the fields that it has."""
    return {
        "runs": [
            {
                name: encode(value)
                for name, value in zip(found.columns, row, strict=True)
                if value is not None
            }
            for row in found.rows
        ],
        "total": total,
    }


def csv_text(found: Table) -> str:
    """Return a table as CSV; every double reads back to the same bits."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(found.columns)
    writer.writerows(["" if one is None else exact(one) for one in row] for row in found.rows)
    return stream.getvalue()

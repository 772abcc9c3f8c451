"""A table of runs in the requested form: on stdout, or in a file."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import typer

from freezer.cli.runs.shared.options import Form
from freezer.cli.session import current
from freezer.errors import RunError

if TYPE_CHECKING:
    from pathlib import Path

    from freezer.flows.runs.transfer.tables import FoundTable


def require_file(form: Form, path: Path | None) -> None:
    """Raise ``RunError`` for Parquet without a file, and a table for people with one."""
    if form is Form.PARQUET and path is None:
        raise RunError("Parquet is no text for a terminal", expected="-o FILE")
    if form is Form.TABLE and path is not None:
        raise RunError("a table is for a terminal", expected="--format json, csv or parquet")


def hand_out(found: FoundTable, form: Form, path: Path | None) -> None:
    """Print a table, or write it to a file."""
    from freezer.output.runs.runs import none_found, show
    from freezer.output.runs.table import csv_text, show_table, table_document

    total, rows = found.found.total, len(found.table.rows)
    if total > rows and form is not Form.TABLE:
        current.reporter().warn(f"{rows} of {total} runs; --limit {total} gives all")
    if found.found.ledger_empty and form is not Form.TABLE:
        current.reporter().note(none_found(found.found))
    if path is not None:
        from freezer.fetch.store.atomic import disk_errors, write_atomically
        from freezer.output.text import plural

        data = _bytes(found, form)
        with disk_errors(path.parent):
            write_atomically(path, data)
        current.stdout.print(
            f"{plural(len(found.table.rows), 'run')} written to {path}",
            markup=False,
            highlight=False,
        )
    elif form is Form.JSON:
        current.emit(table_document(found.table, found.found.total))
    elif form is Form.CSV:
        typer.echo(csv_text(found.table), nl=False)
    elif found.chosen and found.table.rows:
        show_table(found.table, found.found.total, current.stdout)
    else:
        show(found.found, current.stdout)


def _bytes(found: FoundTable, form: Form) -> bytes:
    from freezer.output.runs.table import csv_text, table_document
    from freezer.output.text import document

    if form is Form.PARQUET:
        from freezer.ledger.exchange.parquet import write_parquet

        stream = io.BytesIO()
        write_parquet(found.table, stream)
        return stream.getvalue()
    if form is Form.JSON:
        return f"{document(table_document(found.table, found.found.total))}\n".encode()
    return csv_text(found.table).encode("utf-8", "backslashreplace")

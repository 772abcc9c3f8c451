"""``freeze runs export``."""

from __future__ import annotations

from typing import Annotated

import typer

from freezer.cli.options import Json, output_file
from freezer.cli.runs.options import Form, OutputFile, Query
from freezer.cli.runs.shared.tables import hand_out
from freezer.cli.session import current
from freezer.errors import RunError


def export(
    query: Query = None,
    form: Annotated[
        Form, typer.Option("--format", help="json has everything; csv and parquet a row a run.")
    ] = Form.JSON,
    output: OutputFile = None,
    json: Json = False,
) -> None:
    """Write runs to a file: whole as JSON, for `freeze runs import`, or as a table."""
    from freezer.flows.runs.transfer.export import export_json
    from freezer.flows.runs.transfer.tables import query as find
    from freezer.output.text import plural

    path = output_file(output)
    if path is None:
        raise RunError("an export needs a file", expected="-o FILE")
    if form is Form.TABLE:
        raise RunError("a table is for a terminal", expected="--format json, csv or parquet")
    if form is not Form.JSON:
        hand_out(find(current.project(), query), form, path)
        return
    from freezer.fetch.store.atomic import disk_errors, replacing

    with disk_errors(path.parent), replacing(path, durable=True) as stream:
        count = export_json(current.project(), query, stream)
    if json:
        current.emit({"file": str(path), "runs": count})
    else:
        text = f"{plural(count, 'run')} written to {path}"
        current.stdout.print(text, markup=False, highlight=False)

"""``freeze runs query``."""

from __future__ import annotations

from typing import Annotated

import typer

from freezer.cli.options import Json, output_file
from freezer.cli.runs.shared.options import Columns, Form, Limit, Order, OutputFile, TableFormat
from freezer.cli.runs.shared.tables import hand_out, require_file
from freezer.cli.session import current


def query(
    filter: Annotated[  # noqa: A002 - the argument's name in the help
        str,
        typer.Argument(
            metavar="FILTER", help='Such as "metrics.accuracy > 0.9 and params.lr < 0.01".'
        ),
    ],
    columns: Columns = None,
    sort: Order = None,
    limit: Limit = 1000,
    form: TableFormat = Form.TABLE,
    output: OutputFile = None,
    json: Json = False,
) -> None:
    """Find runs by a filter, as a table, JSON, CSV or Parquet."""
    from freezer.flows.runs.transfer.tables import query as find

    path = output_file(output)
    form = Form.JSON if json else form
    require_file(form, path)
    names = [name.strip() for name in (columns or "").split(",") if name.strip()]
    found = find(current.project(), filter, columns=names, order=sort, limit=limit)
    hand_out(found, form, path)

"""Arguments that the commands about runs share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from freezer.cli.options import text_output

RunName = Annotated[
    str,
    typer.Argument(metavar="RUN", help="The first digits of a run's ID, or `latest`, `latest~1`."),
]
Query = Annotated[
    str | None,
    typer.Argument(
        metavar="[FILTER]", help='Such as "metrics.accuracy > 0.9 and params.lr < 0.01".'
    ),
]
Limit = Annotated[int, typer.Option("--limit", "-n", help="Runs at most.", min=1)]
Order = Annotated[
    str | None,
    typer.Option("--sort", metavar="FIELD", help='Such as "metrics.accuracy desc".'),
]


Columns = Annotated[
    str | None,
    typer.Option(
        "--columns", metavar="FIELD,...", show_default=False,
        help="Fields to show; a table has those that differ by default, a file all.",
    ),
]  # fmt: skip


class Form(StrEnum):
    """What runs are printed or written as."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"


TableFormat = Annotated[Form, typer.Option("--format", help="What to print or write.")]
OutputFile = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="FILE", help="Write it there instead of to stdout.",
        callback=text_output, show_default=False,
    ),
]  # fmt: skip

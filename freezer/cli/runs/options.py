"""Arguments that the commands about runs share."""

from __future__ import annotations

from typing import Annotated

import typer

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

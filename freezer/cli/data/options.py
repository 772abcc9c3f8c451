"""Arguments that the commands about data sets share."""

from __future__ import annotations

from typing import Annotated

import typer

EnvOption = Annotated[
    str | None,
    typer.Option(
        "--env", "-e", metavar="ENV", help="The environment; not needed where there is only one."
    ),
]
Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAME]...", help="Data sets of the spec; all by default."),
]

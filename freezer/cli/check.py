"""``freeze check``."""

from __future__ import annotations

from typing import Annotated

import typer

from freezer.cli.options import Env, Json
from freezer.cli.session import current
from freezer.errors import EXIT_NEGATIVE, EXIT_OK


def check(
    env: Env = None,
    record: Annotated[
        bool,
        typer.Option("--record", help="Record the reference anew, even where there is one."),
    ] = False,
    json: Json = False,
) -> None:
    """Train in the image and compare with the recorded numbers, bit by bit; exit 1 on drift."""
    from freezer.flows.check import check as run
    from freezer.output.check import document, show

    result = run(current.workshop(), env, record=record)
    if json:
        current.emit(document(result))
    else:
        show(result, current.stdout)
    raise typer.Exit(EXIT_OK if result.verdict.good else EXIT_NEGATIVE)

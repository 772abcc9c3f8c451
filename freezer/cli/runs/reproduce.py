"""``freeze runs reproduce``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from freezer.cli.options import Json
from freezer.cli.runs.shared.options import RunName
from freezer.cli.session import current
from freezer.cli.training_output import passed_on
from freezer.errors import EXIT_NEGATIVE, EXIT_OK


def reproduce(
    run: RunName,
    param: Annotated[
        list[str] | None,
        typer.Option(
            "--param", "-p", metavar="NAME=VALUE",
            help="A secret parameter of the run: these are not recorded.",
        ),
    ] = None,
    json: Json = False,
) -> None:  # fmt: skip
    """Make a run again, from its commit, patch, data and image; exit 1 unless it is identical."""
    from freezer.flows.runs.repeat.reproduce import reproduce as again
    from freezer.flows.runs.request import read_params
    from freezer.output.runs.diff import reproduced_document, show_reproduced

    found = again(
        current.project(), run, passed_on(sys.stderr, sys.stderr), read_params(param or ())
    )
    if json:
        current.emit(reproduced_document(found))
    else:
        show_reproduced(found, current.stdout)
    raise typer.Exit(EXIT_OK if found.verdict == "identical" else EXIT_NEGATIVE)

"""``freeze runs import``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from freezer.cli.options import Json
from freezer.cli.session import current


def import_(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="What `freeze runs export --format json` wrote."),
    ],
    json: Json = False,
) -> None:
    """Record the runs of an export; those that are there already are skipped."""
    from freezer.flows.runs.transfer.take_over import import_file
    from freezer.output.runs.transfer import show_taken_over, taken_over_document

    found = import_file(current.project(), file)
    if json:
        current.emit(taken_over_document(found))
    else:
        show_taken_over(found, current.stdout)

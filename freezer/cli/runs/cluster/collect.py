"""``freeze runs collect``."""

from __future__ import annotations

from typing import Annotated

import typer

from freezer.cli.options import Json
from freezer.cli.session import current


def collect(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="RUN",
            help="With --wait: a run's or sweep's ID or its first digits; all if left out.",
            show_default=False,
        ),
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait for their end; exit with a code that is not 0.")
    ] = False,
    json: Json = False,
) -> None:
    """Record the results of runs on a cluster that ended; other commands about runs do so too."""
    from freezer.flows.runs.cluster.gather import gather
    from freezer.output.runs.collected import collected_document, show_collected

    found = gather(current.project(), run, wait=wait)
    if json:
        current.emit(collected_document(found))
    else:
        show_collected(found, current.stdout)
    raise typer.Exit(found.status if wait else 0)

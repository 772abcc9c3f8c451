"""``freeze fleet resume``."""

from __future__ import annotations

from typing import Annotated

import typer

from freezer.cli.fleet.options import FleetId, chosen
from freezer.cli.options import Json
from freezer.cli.session import current
from freezer.errors import EXIT_NEGATIVE, EXIT_OK


def resume(
    fleet: FleetId = None,
    wait: Annotated[
        bool | None,
        typer.Option(
            "--wait/--no-wait",
            help="Wait for the verdicts; default on a terminal.",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Check the hosts of a fleet that have no verdict, and no others; exit 1 if one is not good."""
    from freezer.flows.fleet.follow import resume as run
    from freezer.flows.fleet.follow import wait as follow
    from freezer.output.fleet.report import document, show

    project, folder = current.project(), chosen(fleet)
    found = run(project, folder)
    waits = current.stderr.is_terminal if wait is None else wait
    if waits and found.waiting:
        found = follow(project, folder)
    if json:
        current.emit(document(found))
    else:
        show(found, current.stdout)
    raise typer.Exit(EXIT_OK if found.good or found.waiting else EXIT_NEGATIVE)

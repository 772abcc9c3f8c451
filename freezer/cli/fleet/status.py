"""``freeze fleet status``."""

from __future__ import annotations

from typing import Annotated

import typer

from freezer.cli.fleet.options import FleetId, chosen
from freezer.cli.options import Json
from freezer.cli.session import current


def status(
    fleet: FleetId = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait until every host has a verdict or a reason.")
    ] = False,
    json: Json = False,
) -> None:
    """Display the state of every host of a fleet."""
    from freezer.flows.fleet.follow import read_fleet
    from freezer.flows.fleet.follow import wait as follow
    from freezer.output.fleet.report import document, show_states

    found = (follow if wait else read_fleet)(current.project(), chosen(fleet))
    if json:
        current.emit(document(found))
    else:
        show_states(found, current.stdout)

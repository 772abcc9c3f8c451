"""``freeze fleet list``."""

from __future__ import annotations

from typing import Annotated

import typer

from freezer.cli.options import Json
from freezer.cli.session import current


def list(  # noqa: A001 - the command's name
    limit: Annotated[int, typer.Option("--limit", "-n", help="At most so many.", min=1)] = 10,
    json: Json = False,
) -> None:
    """List the fleets of the project, the latest first, with the states of their hosts."""
    from freezer.flows.fleet.follow import latest_fleets
    from freezer.output.fleet.report import document, show_list

    fleets = latest_fleets(current.project(), limit)
    if json:
        current.emit({"fleets": [document(one) for one in fleets]})
    else:
        show_list(fleets, current.stdout)

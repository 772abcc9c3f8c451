"""Arguments that the commands of fleets share."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from freezer.cli.session import current

if TYPE_CHECKING:
    from freezer.fleet.folder import FleetFolder

FleetId = Annotated[
    str | None,
    typer.Argument(
        metavar="FLEET",
        help="A fleet's ID or its first characters; the latest one if left out.",
        show_default=False,
    ),
]
_DURATION = re.compile(r"(?P<count>[1-9][0-9]{0,6})(?P<unit>[smhd]?)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def chosen(identifier: str | None) -> FleetFolder:
    """Return the fleet that an argument names."""
    from freezer.fleet.folder import find_fleet
    from freezer.flows.fleet.place import fleets_path

    return find_fleet(fleets_path(current.project()), identifier)


def duration(text: str) -> int:
    """Return the seconds of ``90``, ``90s``, ``30m``, ``2h`` or ``1d``."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise typer.BadParameter(f"{text!r} is no duration such as 30m, 2h or 1d")
    return int(found["count"]) * _SECONDS[found["unit"]]

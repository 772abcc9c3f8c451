"""``freeze fleet list``."""

from __future__ import annotations

from freezer.cli.options import Json
from freezer.cli.session import current


def list(json: Json = False) -> None:  # noqa: A001 - the command's name
    """List the fleets of the project, the latest first, with the states of their hosts."""
    from freezer.fleet.folder import fleet_folders
    from freezer.flows.fleet.follow import read_fleet
    from freezer.flows.fleet.place import fleets_path
    from freezer.output.fleet.report import document, show_list

    project = current.project()
    fleets = [read_fleet(project, one) for one in fleet_folders(fleets_path(project))]
    if json:
        current.emit({"fleets": [document(one) for one in fleets]})
    else:
        show_list(fleets, current.stdout)

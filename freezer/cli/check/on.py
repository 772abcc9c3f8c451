"""``freeze check --on``: the check of a whole cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import typer

from freezer.cli.session import current
from freezer.errors import EXIT_NEGATIVE, EXIT_OK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.flows.fleet.start import FleetOptions


def check_on(
    names: Sequence[str], on: str, options: FleetOptions, *, wait: bool | None, as_json: bool
) -> NoReturn:
    """Start a fleet; wait for it where that was asked for, or stderr is a terminal."""
    from freezer.flows.fleet.follow import read_fleet
    from freezer.flows.fleet.follow import wait as follow
    from freezer.flows.fleet.start import start_fleet
    from freezer.output.fleet.report import document, show

    project = current.project()
    folder = start_fleet(project, names, on, options)
    waits = current.stderr.is_terminal if wait is None else wait
    if not waits and on.startswith("slurm:"):  # engines were waited for
        if as_json:
            current.emit(document(read_fleet(project, folder)))
        else:
            current.stdout.print(folder.id, highlight=False)
        raise typer.Exit(EXIT_OK)
    if on.startswith("slurm:"):
        project.report.note(f"fleet {folder.id}: Ctrl-C ends the waiting, not the jobs")
    fleet = follow(project, folder)
    if options.record:
        from freezer.flows.fleet.record import record_references

        fleet = record_references(project, folder)
    if as_json:
        current.emit(document(fleet))
    else:
        show(fleet, current.stdout)
    raise typer.Exit(EXIT_OK if fleet.good else EXIT_NEGATIVE)

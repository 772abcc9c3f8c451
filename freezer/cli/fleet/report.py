"""``freeze fleet report``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from freezer.cli.fleet.options import FleetId, chosen
from freezer.cli.options import Json, output_file
from freezer.cli.session import current
from freezer.errors import EXIT_NEGATIVE, EXIT_OK

if TYPE_CHECKING:
    from collections.abc import Callable

    from freezer.fleet.folder import FleetFolder
    from freezer.flows.fleet.gather import Fleet
    from freezer.flows.project.project import Project


def report(
    fleet: FleetId = None,
    html: Annotated[
        Path | None,
        typer.Option(
            "--html",
            metavar="FILE",
            help="Write one page too: every host, filtered and by class.",
            callback=output_file,
            show_default=False,
        ),
    ] = None,
    junit: Annotated[
        Path | None,
        typer.Option(
            "--junit",
            metavar="FILE",
            help="Write hosts as tests (JUnit XML) too.",
            callback=output_file,
            show_default=False,
        ),
    ] = None,
    prometheus: Annotated[
        Path | None,
        typer.Option(
            "--prometheus",
            metavar="FILE",
            help="Write metrics in Prometheus' text format too.",
            callback=output_file,
            show_default=False,
        ),
    ] = None,
    record: Annotated[
        bool,
        typer.Option(
            "--record", help="Record the reference of each class on which two hosts agree first."
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Display a fleet's matrix by class, and what separates hosts; exit 1 unless all are good."""
    from freezer.flows.fleet.follow import read_fleet
    from freezer.output.fleet.report import document, show

    found = (_recorded if record else read_fleet)(current.project(), chosen(fleet))
    _write(found, html, junit, prometheus)
    if json:
        current.emit(document(found))
    else:
        show(found, current.stdout)
    raise typer.Exit(EXIT_OK if found.good else EXIT_NEGATIVE)


def _recorded(project: Project, folder: FleetFolder) -> Fleet:
    from freezer.flows.fleet.record import record_references

    return record_references(project, folder)


def _write(found: Fleet, html: Path | None, junit: Path | None, prometheus: Path | None) -> None:
    from freezer.fetch.store.atomic import disk_errors, write_atomically
    from freezer.output.fleet.exports import junit_xml, prometheus_text
    from freezer.output.fleet.page import page

    def put(path: Path | None, make: Callable[[Fleet], bytes]) -> None:
        if path is not None:
            with disk_errors(path.parent):
                write_atomically(path, make(found))

    put(html, lambda fleet: page(fleet).encode())
    put(junit, junit_xml)
    put(prometheus, lambda fleet: prometheus_text(fleet).encode())

"""``freeze runs stop``."""

from __future__ import annotations

from typing import Annotated

import typer

from freezer.cli.session import current


def stop(
    runs: Annotated[
        list[str],
        typer.Argument(metavar="RUN...", help="The first digits of a run's ID, or `latest`."),
    ],
    lost: Annotated[
        bool, typer.Option("--lost", help="Mark runs as interrupted whose host is gone for good.")
    ] = False,
) -> None:
    """End runs of this host as Ctrl-C does: the container is removed, and the run is recorded."""
    from freezer.flows.runs.children.detached import give_up
    from freezer.flows.runs.children.detached import stop as end
    from freezer.output.text import printable

    for name in runs:
        run = (give_up if lost else end)(current.project(), name)
        current.stdout.print(f"run {run.id}: {printable(run.state)}", highlight=False)

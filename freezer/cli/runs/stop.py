"""``freeze runs stop``."""

from __future__ import annotations

from typing import Annotated

import typer

from freezer.cli.session import current


def stop(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...",
            help="The first digits of the ID of a run or a detached sweep, or `latest`.",
        ),
    ],
    lost: Annotated[
        bool, typer.Option("--lost", help="Mark runs as interrupted whose host is gone for good.")
    ] = False,
) -> None:
    """End runs of this host as Ctrl-C does: the container is removed, and the run is recorded.

    Of a detached sweep its runs are ended, and no other is started. Of a run on a cluster its job
    is cancelled.
    """
    from freezer.flows.runs.cluster.control import stop as end
    from freezer.flows.runs.cluster.control import stop_sweep
    from freezer.flows.runs.processes.detached import give_up
    from freezer.flows.runs.processes.sweeps import is_sweep
    from freezer.output.runs.sweeps import sweep_line
    from freezer.output.text import printable

    for name in runs:
        if is_sweep(name) and not lost:
            line = sweep_line(stop_sweep(current.project(), name))
            current.stdout.print(line, highlight=False)
            continue
        run = (give_up if lost else end)(current.project(), name)
        current.stdout.print(f"run {run.id}: {printable(run.state)}", highlight=False)

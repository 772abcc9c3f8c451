"""``freeze runs logs``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from freezer.cli.runs.shared.options import RunName
from freezer.cli.session import current
from freezer.cli.training_output import passed_on


def logs(
    run: RunName = "latest",
    wait: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run ends.")] = False,
) -> None:
    """Print what a detached run or sweep printed; of another run, its last lines."""
    from freezer.flows.runs.cluster.control import follow, follow_sweep
    from freezer.flows.runs.processes.sweeps import is_sweep
    from freezer.flows.runs.queries import get

    project = current.project()
    if is_sweep(run):
        printed = follow_sweep(project, run, wait=wait)
    else:
        printed = follow(project, get(project, run)[0], wait=wait)
    show = passed_on(sys.stdout, sys.stderr)
    for data in printed:
        show(1, data)

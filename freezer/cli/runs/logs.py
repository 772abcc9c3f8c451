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
    """Print what a detached run printed; of another run, its last lines."""
    from freezer.flows.runs.ask import get
    from freezer.flows.runs.children.detached import follow

    project = current.project()
    found = get(project, run)[0]
    show = passed_on(sys.stdout, sys.stderr)
    for data in follow(project, found, wait=wait):
        show(1, data)

"""``freeze shell``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from freezer.cli.image.run import CommandAfterDashes
from freezer.cli.options import Env
from freezer.cli.session import current

COMMAND_CLASS = CommandAfterDashes


def shell(
    ctx: typer.Context,
    env: Env = None,
    port: Annotated[
        int | None,
        typer.Option(
            "--port", metavar="N", min=1, max=65535,
            help="Publish this port on 127.0.0.1; the container has a network then.",
        ),
    ] = None,
    gpus: Annotated[
        bool, typer.Option("--gpus", help="Let the container see the GPUs.")
    ] = False,
) -> None:  # fmt: skip
    """Open the image by hand, with the code for reading and writing; nothing is recorded.

    A command may follow after --; by default it is a shell.
    """
    from freezer.flows.runs.interactive.shell import shell as open_shell

    report = current.reporter()
    report.note("Not recorded: what is done by hand here is no run; `freeze run` records one")
    if port is not None:
        report.note(f"http://127.0.0.1:{port} reaches a server that listens on 0.0.0.0")
    code = open_shell(
        current.project(),
        env,
        ctx.meta["command"],
        port=port,
        terminal=sys.stdin.isatty() and sys.stdout.isatty(),
        gpus=gpus,
    )
    report.note("The shell ended; nothing of it was recorded")
    raise typer.Exit(code)

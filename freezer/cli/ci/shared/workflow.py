"""Options of ``freeze ci github`` and ``gitlab``, and what both do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from freezer.cli.options import or_stdout
from freezer.cli.session import current
from freezer.errors import EXIT_NEGATIVE, EXIT_OK

if TYPE_CHECKING:
    from freezer.flows.ci.workflow import System

Environments = Annotated[
    list[str] | None,
    typer.Argument(metavar="ENV", help="By default all environments.", show_default=False),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="FILE",
        help="The workflow's file; standard output if none is given.",
        callback=or_stdout,
        show_default=False,
    ),
]
Check = Annotated[
    bool, typer.Option("--check", help="Write nothing; exit 1 if the file is out of date.")
]
Install = Annotated[
    str | None,
    typer.Option(
        "--install",
        metavar="TEXT",
        help="What pip installs, such as '--require-hashes -r ci.txt'; by default this version.",
        show_default=False,
    ),
]
Branch = Annotated[
    str | None,
    typer.Option(
        "--branch", metavar="NAME", help="Verify its pushes; main by default.", show_default=False
    ),
]
Schedule = Annotated[
    str | None,
    typer.Option(
        "--schedule",
        metavar="CRON",
        help="When to check the past; '17 3 * * 1' by default.",
        show_default=False,
    ),
]
Runs = Annotated[
    str | None,
    typer.Option(
        "--runs",
        metavar="FILE",
        help="Make runs of this export again, on the schedule.",
        show_default=False,
    ),
]
LedgerSecret = Annotated[
    str | None,
    typer.Option(
        "--ledger-secret",
        metavar="NAME",
        help="Make runs of the configured ledger again; its password is in this secret.",
        show_default=False,
    ),
]
Sample = Annotated[
    int | None,
    typer.Option(
        "--sample", metavar="N", help="How many runs; 3 by default.", min=1, show_default=False
    ),
]
Cluster = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="TARGET",
        help="Check the nodes of a cluster each night: slurm:PARTITION, or slurm:gpu:a100.",
        show_default=False,
    ),
]
Runner = Annotated[
    str | None,
    typer.Option(
        "--runner",
        metavar="LABEL,…",
        help="Labels or tags of the self-hosted runner on the cluster; slurm by default.",
        show_default=False,
    ),
]
Nightly = Annotated[
    str | None,
    typer.Option(
        "--nightly",
        metavar="CRON",
        help="When to check the cluster; '43 1 * * *' by default.",
        show_default=False,
    ),
]
Pins = Annotated[
    bool,
    typer.Option("--fresh-pins", help="Take the pins of this Freezer, not those in the file."),
]


def write_workflow(
    system: System,
    given: dict[str, Any],
    output: Path | None,
    *,
    check: bool,
    fresh_pins: bool,
    json: bool,
) -> None:
    """Write or compare a workflow, and print which."""
    from freezer.flows.ci.workflow import plan_workflow
    from freezer.output.governance.ci import (
        differences,
        document,
        render_workflow,
        show_checked,
        show_written,
    )

    if check and any(value is not None for value in given.values()):
        raise typer.BadParameter("--check takes the options that are in the file")
    path = output.absolute() if output is not None else None
    asked = {name: value for name, value in given.items() if value is not None}
    plan = plan_workflow(current.project(), system, asked, path, fresh_pins=fresh_pins)
    text = render_workflow(plan)
    if check:
        found = differences(plan, text)
        if json:
            current.emit(document(plan, output, found))
        else:
            show_checked(plan, found, current.stdout)
        raise typer.Exit(EXIT_NEGATIVE if found else EXIT_OK)
    if path is None:
        current.stdout.file.write(text)
        return
    from freezer.fetch.store.atomic import disk_errors, write_atomically

    with disk_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text.encode())
    if json:
        current.emit(document(plan, output, None))
    else:
        show_written(plan, output or path, current.stdout)

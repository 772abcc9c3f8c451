"""``freeze runs reproduce``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from freezer.cli.options import Json
from freezer.cli.runs.shared.options import RunName
from freezer.cli.session import current
from freezer.cli.training_output import passed_on
from freezer.errors import EXIT_NEGATIVE, EXIT_OK


def reproduce(
    run: RunName,
    param: Annotated[
        list[str] | None,
        typer.Option(
            "--param", "-p", metavar="NAME=VALUE",
            help="A secret parameter of the run: these are not recorded.",
        ),
    ] = None,
    on: Annotated[
        str | None,
        typer.Option(
            "--on", metavar="TARGET", show_default=False,
            help="Make it again as a Slurm job: slurm:PARTITION; with the ranks that it had.",
        ),
    ] = None,
    time: Annotated[
        str | None,
        typer.Option(
            "--time", metavar="DURATION", show_default=False,
            help="With --on: the time limit of the job, such as 2h.",
        ),
    ] = None,
    sbatch: Annotated[
        list[str] | None,
        typer.Option(
            "--sbatch", metavar="OPTION", show_default=False,
            help="With --on: a further option for sbatch.",
        ),
    ] = None,
    json: Json = False,
) -> None:  # fmt: skip
    """Make a run again, from its commit, patch, data and image; exit 1 unless it is identical.

    A run of a cluster is made again on this host, or with --on as a job.
    """
    from freezer.flows.runs.repeat.reproduce import reproduce as again
    from freezer.flows.runs.request import read_params
    from freezer.output.runs.diff import reproduced_document, show_reproduced

    project, show = current.project(), passed_on(sys.stderr, sys.stderr)
    given = read_params(param or ())
    if on is None:
        if time or sbatch:
            raise typer.BadParameter("--time and --sbatch need --on")
        found = again(project, run, show, given)
    else:
        from freezer.fleet.trainings.options import JobOptions, read_time
        from freezer.flows.runs.cluster.reproduce import reproduce_on

        how = JobOptions(time=None if time is None else read_time(time), sbatch=tuple(sbatch or ()))
        found = reproduce_on(project, run, on, how, show, given)
    if json:
        current.emit(reproduced_document(found))
    else:
        show_reproduced(found, current.stdout)
    raise typer.Exit(EXIT_OK if found.verdict == "identical" else EXIT_NEGATIVE)

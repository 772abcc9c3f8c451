"""``freeze run``."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from freezer.cli.commands import Command
from freezer.cli.image.run_children import (
    CPUS_OPTION,
    DETACHED_OPTION,
    GPUS_OPTION,
    REPORT_OPTION,
    execute,
    require_one_run,
    run_at_once,
    run_by_itself,
    run_detached,
)
from freezer.cli.options import Env, Junit, write_junit
from freezer.cli.session import current
from freezer.cli.training_output import passed_on

if TYPE_CHECKING:
    from freezer.flows.runs.again.resume import Resume
    from freezer.flows.runs.request import RunRequest


class CommandAfterDashes(Command):
    """A command whose words after ``--`` are another program's: none is taken for an option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Keep what stands after the first ``--``, and parse the rest."""
        mark = args.index("--") if "--" in args else len(args)
        ctx.meta["command"] = args[mark + 1 :]
        return super().parse_args(ctx, args[:mark])


COMMAND_CLASS = CommandAfterDashes


def run(  # noqa: PLR0913, PLR0917 - options of the command line
    ctx: typer.Context,
    env: Env = None,
    data: Annotated[
        list[str] | None,
        typer.Option("--data", metavar="NAME", help="Mount this data set only; may be repeated."),
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option(
            "--param", "-p", metavar="NAME=VALUE",
            help="A parameter: recorded, and put in place of {NAME} in the command.",
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="The FREEZER_SEED of the run.", min=0)
    ] = None,
    gpus: Annotated[
        bool | None, typer.Option("--gpus/--no-gpus", help="Whether the run sees the GPUs.")
    ] = None,
    clean: Annotated[
        bool, typer.Option("--clean", help="Refuse a working tree that differs from its commit.")
    ] = False,
    each: Annotated[
        list[str] | None,
        typer.Option(
            "--each",
            metavar="NAME=VALUES",
            help="A run for each value: seed=1..5, lr=0.1,0.01; several give every combination.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="DIR",
            help="A new folder for the files that the run writes.",
        ),
    ] = None,
    plan: Annotated[
        Path | None,
        typer.Option(
            "--plan", metavar="FILE", help="What the run is to find out; kept with the run."
        ),
    ] = None,
    resume: Annotated[
        str | None,
        typer.Option(
            "--resume", metavar="RUN",
            help="Continue from what this run left; its command, code and parameters by default.",
        ),
    ] = None,
    checkpoint: Annotated[
        str,
        typer.Option(
            "--checkpoint", metavar="PATH", help="The output of that run that is meant."
        ),
    ] = "",
    new_code: Annotated[
        bool, typer.Option("--new-code", help="With --resume: the code and the lock of now.")
    ] = False,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", help="With --each: runs at once.", min=1)
    ] = 1,
    junit: Junit = None,
    detach: Annotated[
        bool,
        typer.Option(
            "--detach", "-d", help="Print the run's ID and return; the run goes on by itself."
        ),
    ] = False,
    detached: Annotated[bool, typer.Option(DETACHED_OPTION, hidden=True)] = False,
    cpu_positions: Annotated[str, typer.Option(CPUS_OPTION, hidden=True)] = "",
    gpu_positions: Annotated[str, typer.Option(GPUS_OPTION, hidden=True)] = "",
    report_fd: Annotated[int | None, typer.Option(REPORT_OPTION, hidden=True)] = None,
) -> None:  # fmt: skip
    """Run your own training in the image, and record everything that decided its results.

    The code is mounted read-only, the data read-only, a fresh output folder for writing; there is
    no network unless the spec allows it. The command's exit code is passed on; where it is 0 and
    a result is not as `expect` of the spec says, it is 1.
    """
    from freezer.flows.runs.plan.read import plan_file
    from freezer.flows.runs.request import RunRequest, read_params
    from freezer.flows.runs.sweep import read_each, requests

    request = RunRequest(
        command=tuple(ctx.meta["command"]),
        data=tuple(data) if data else None,
        params=read_params(param or ()),
        seed=seed,
        gpus=gpus,
        clean=clean,
        output=output,
        plan=None if plan is None else plan_file(plan),
        cpu_positions=tuple(int(one) for one in cpu_positions.split(",") if one),
        gpu_positions=tuple(int(one) for one in gpu_positions.split(",") if one),
    )
    values = read_each(each or ())
    found = list(requests(request, values))
    how = _resume(resume, checkpoint, new_code=new_code)
    if jobs > 1:
        raise typer.Exit(run_at_once(env, found, values, jobs, how, junit))
    if detach:
        require_one_run(values, junit)
        raise typer.Exit(run_detached(env, found[0], how))
    if detached and report_fd is not None:
        raise typer.Exit(run_by_itself(env, found[0], report_fd, how))
    raise typer.Exit(_in_turn(env, found, report_fd, junit, how))


def _resume(run: str | None, path: str, *, new_code: bool) -> Resume | None:
    if run is None:
        if path or new_code:
            from freezer.errors import RunError

            raise RunError("--checkpoint and --new-code go with --resume", expected="--resume RUN")
        return None
    from freezer.flows.runs.again.resume import Resume

    return Resume(run, path, new_code)


def _in_turn(
    env: str | None,
    found: list[RunRequest],
    report_fd: int | None,
    junit: Path | None,
    how: Resume | None,
) -> int:
    """Make runs one after the other; return the first exit code that is not 0."""
    from freezer.flows.runs.children.child import report_start
    from freezer.output.junit import of_run
    from freezer.output.runs.run import show_done

    started = None if report_fd is None else partial(report_start, report_fd)
    show = passed_on(sys.stdout, sys.stderr)
    worst, suites = 0, []
    try:
        for one in found:
            done = execute(current.project(), env, one, how, show, started)
            show_done(done, current.folder, current.stderr)
            suites.append(of_run(done))
            worst = worst or done.status
            if done.run.state == "interrupted":
                break
    finally:  # a later run of a sweep that cannot start takes nothing from those before
        if suites:
            write_junit(junit, suites)
    return worst

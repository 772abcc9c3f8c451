"""``freeze run``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from freezer.cli.commands import Command
from freezer.cli.image.running.in_turn import in_turn
from freezer.cli.image.running.invocation import (
    CPUS_OPTION,
    DETACHED_OPTION,
    GPUS_OPTION,
    REPORT_OPTION,
    RESULT_OPTION,
    SWEEP_OPTION,
    Invocation,
    require_usable,
    with_sweep,
)
from freezer.cli.options import Env, Json, Junit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freezer.flows.runs.repeat.resume import Resume

CLUSTER = "On a cluster"

_UsageError: Any = next(
    kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "UsageError"
)
"""What click raises for unusable arguments; typer may carry a click of its own."""


class CommandAfterDashes(Command):
    """A command whose words after ``--`` are another program's: none is taken for an option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Keep what stands after the first ``--``, and parse the rest."""
        mark = args.index("--") if "--" in args else len(args)
        ctx.meta["command"] = args[mark + 1 :]
        try:
            return super().parse_args(ctx, args[:mark])
        except _UsageError as error:
            foreign = "extra argument" in error.message or type(error).__name__ == "NoSuchOption"
            if foreign and "--" not in args:  # the command, most likely
                error.message += (
                    f". A command follows after --: {ctx.command_path} [ENV] -- COMMAND"
                )
            raise


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
        int | None, typer.Option(help="The FREEZER_SEED of the run.", min=0, max=2**63 - 1)
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
        int | None,
        typer.Option(
            "--jobs", "-j", help="With --each: runs at once; 1, on a cluster as many as fit.",
            min=1, show_default=False,
        ),
    ] = None,
    junit: Junit = None,
    detach: Annotated[
        bool,
        typer.Option(
            "--detach", "-d",
            help="Print the ID of the run or sweep and return; it goes on by itself.",
        ),
    ] = False,
    on: Annotated[
        str | None,
        typer.Option(
            "--on", metavar="TARGET", show_default=False, rich_help_panel=CLUSTER,
            help="Run as a Slurm job: slurm:PARTITION, or slurm:gpu:a100; a sweep as a job array.",
        ),
    ] = None,
    nodes: Annotated[
        int | None,
        typer.Option(
            "--nodes", metavar="N", min=1, show_default=False, rich_help_panel=CLUSTER,
            help="Nodes of one run; 1 by default.",
        ),
    ] = None,
    ntasks_per_node: Annotated[
        int | None,
        typer.Option(
            "--ntasks-per-node", metavar="N", min=1, show_default=False, rich_help_panel=CLUSTER,
            help="Ranks on each node; 1 by default.",
        ),
    ] = None,
    gpus_per_node: Annotated[
        int | None,
        typer.Option(
            "--gpus-per-node", metavar="N", min=1, show_default=False, rich_help_panel=CLUSTER,
            help="GPUs of each node; 1 where the run sees GPUs.",
        ),
    ] = None,
    time: Annotated[
        str | None,
        typer.Option(
            "--time", metavar="DURATION", show_default=False, rich_help_panel=CLUSTER,
            help="Time limit of the job: 30m, 2h, 1d or [D-]HH:MM:SS; as the partition says.",
        ),
    ] = None,
    requeue: Annotated[
        bool,
        typer.Option(
            "--requeue", rich_help_panel=CLUSTER,
            help="Start again where the node fails or the job is preempted; recorded once.",
        ),
    ] = False,
    mixed_classes: Annotated[
        bool,
        typer.Option(
            "--mixed-classes", rich_help_panel=CLUSTER,
            help="Allow ranks on hosts of several numerics classes.",
        ),
    ] = False,
    pull: Annotated[
        bool,
        typer.Option(
            "--pull", rich_help_panel=CLUSTER,
            help="Nodes pull the image from the registry it was pushed to, by digest.",
        ),
    ] = False,
    runtime: Annotated[
        list[str] | None,
        typer.Option(
            "--runtime", metavar="NAME", show_default=False, rich_help_panel=CLUSTER,
            help="Container runtimes of the nodes in order: docker, podman, apptainer, enroot.",
        ),
    ] = None,
    sbatch: Annotated[
        list[str] | None,
        typer.Option(
            "--sbatch", metavar="OPTION", show_default=False, rich_help_panel=CLUSTER,
            help="A further option for sbatch, such as --account=ml; may be repeated.",
        ),
    ] = None,
    json: Json = False,
    detached: Annotated[bool, typer.Option(DETACHED_OPTION, hidden=True)] = False,
    cpu_positions: Annotated[str, typer.Option(CPUS_OPTION, hidden=True)] = "",
    gpu_positions: Annotated[str, typer.Option(GPUS_OPTION, hidden=True)] = "",
    report_fd: Annotated[int | None, typer.Option(REPORT_OPTION, hidden=True)] = None,
    result_file: Annotated[Path | None, typer.Option(RESULT_OPTION, hidden=True)] = None,
    sweep_id: Annotated[str | None, typer.Option(SWEEP_OPTION, hidden=True)] = None,
) -> None:  # fmt: skip
    """Run your own training in the image, and record everything that decided its results.

    The code is mounted read-only, the data read-only, a fresh output folder for writing; there is
    no network unless the spec allows it. The command's exit code is passed on; where it is 0 and
    a result is not as `expect` of the spec says, it is 1. With --on it runs as a Slurm job, in the
    same way and with the same record.
    """
    from freezer.flows.runs.plan.read import plan_file
    from freezer.flows.runs.request import RunRequest, read_params
    from freezer.flows.runs.sweep import read_each

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
    todo = Invocation(
        env=env,
        request=request,
        each=each or (),
        values=read_each(each or ()),
        jobs=jobs or 1,
        how=_resume(resume, checkpoint, new_code=new_code),
        junit=junit,
        json=json,
        sweep=sweep_id,
        result=result_file,
    )
    require_usable(todo)
    todo = with_sweep(todo)
    asked = {
        "--nodes": nodes, "--ntasks-per-node": ntasks_per_node, "--gpus-per-node": gpus_per_node,
        "--time": time, "--requeue": requeue, "--mixed-classes": mixed_classes,
        "--pull": pull, "--runtime": runtime, "--sbatch": sbatch,
    }  # fmt: skip
    if on is None:
        _require_no_cluster(asked)
        raise typer.Exit(_make(todo, report_fd, detach=detach, detached=detached))
    from freezer.cli.image.running.on_cluster import job_options, on_cluster

    raise typer.Exit(on_cluster(todo, on, job_options(asked, jobs), detach=detach))


def _require_no_cluster(asked: Mapping[str, object]) -> None:
    given = [name for name, value in asked.items() if value]
    if given:
        from freezer.errors import RunError

        raise RunError(
            f"{', '.join(given)}: options of a job on a cluster", expected="--on TARGET as well"
        )


def _make(todo: Invocation, report_fd: int | None, *, detach: bool, detached: bool) -> int:
    """Make the run or the sweep in the way that is wanted; return the exit code."""
    if detach or (detached and report_fd is not None):
        from freezer.cli.image.running import detached as by_itself

        if detach or report_fd is None:
            return by_itself.detach(todo)
        alone = by_itself.sweep_by_itself if todo.values else by_itself.run_by_itself
        return alone(todo, report_fd)
    if todo.jobs > 1:
        from freezer.cli.image.running.at_once import at_once

        return at_once(todo)
    return in_turn(todo, report_fd)


def _resume(run: str | None, path: str, *, new_code: bool) -> Resume | None:
    if run is None:
        if path or new_code:
            from freezer.errors import RunError

            raise RunError("--checkpoint and --new-code go with --resume", expected="--resume RUN")
        return None
    from freezer.flows.runs.repeat.resume import Resume

    return Resume(run, path, new_code)

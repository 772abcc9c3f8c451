"""`freeze run --on`: a run as a Slurm job, or a sweep as a job array."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import typer

from freezer.cli.image.running.at_once import job
from freezer.cli.image.running.documents import Documents
from freezer.cli.options import write_junit
from freezer.cli.session import current
from freezer.cli.training_output import passed_on
from freezer.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from freezer.cli.image.running.invocation import Invocation
    from freezer.fleet.trainings.options import JobOptions
    from freezer.fleet.trainings.submission import Submission
    from freezer.flows.runs.run import Show


def job_options(asked: Mapping[str, Any], at_once: int | None) -> JobOptions:
    """Return the options of a job; those that were not given have their defaults."""
    from freezer.fleet.trainings.options import RUNTIMES, JobOptions, read_time

    return JobOptions(
        nodes=asked["--nodes"] or 1,
        ntasks_per_node=asked["--ntasks-per-node"] or 1,
        gpus_per_node=asked["--gpus-per-node"],
        time=None if asked["--time"] is None else read_time(asked["--time"]),
        requeue=asked["--requeue"],
        mixed_classes=asked["--mixed-classes"],
        pull=asked["--pull"],
        runtimes=tuple(asked["--runtime"] or RUNTIMES),
        sbatch=tuple(asked["--sbatch"] or ()),
        at_once=at_once,
    )


def on_cluster(todo: Invocation, on: str, how: JobOptions, *, detach: bool) -> int:
    """Submit a run or a sweep; wait for it unless ``detach``; return the exit code."""
    from freezer.flows.runs.cluster.batch import SweepPlan
    from freezer.flows.runs.cluster.place import cluster_of
    from freezer.flows.runs.cluster.submit import submit
    from freezer.flows.runs.plan.read import warn_of_unplanned

    if todo.how is not None:
        raise RunError("--resume does not work with --on", expected="one of both options")
    if detach and todo.junit is not None:
        raise RunError("a detached run writes no JUnit file", expected="one of both options")
    project = current.project()
    cluster, sweep = cluster_of(on, how), None
    labels = [""] * len(todo.requests)
    if todo.values:
        labels = [job(todo, number).label for number in range(len(todo.requests))]
        sweep = SweepPlan(todo.sweep or "", todo.env, labels)
    submitted = submit(project, todo.env, todo.requests, cluster, how, sweep)
    for one in todo.requests:
        if one.plan is not None and one.seed is not None:
            warn_of_unplanned(project, one.plan, one.params, one.seed)
    if detach:
        _print(todo, submitted)
        return 0
    project.report.note(
        f"{_title(todo, submitted)}: Ctrl-C ends the waiting, not the job; "
        f"`freeze runs stop {_identifier(todo, submitted)}` ends it"
    )
    return _wait(todo, submitted, labels)


def _wait(todo: Invocation, submitted: Sequence[Submission], labels: Sequence[str]) -> int:
    """Pass on what the runs print; return the first exit code that is not 0."""
    from freezer.flows.runs.cluster.follow import wait
    from freezer.output.junit import of_run
    from freezer.output.runs.run import show_done

    show = passed_on(sys.stderr if todo.json else sys.stdout, sys.stderr)
    shows = [_behind(label, show) for label in labels]
    documents, worst, suites = Documents(todo), 0, []
    try:
        for done in wait(current.project(), submitted, shows):
            show_done(done, current.folder, current.stderr)
            suites.append(of_run(done))
            documents.add(done)
            worst = worst or done.status
    finally:
        if suites:
            write_junit(todo.junit, suites)
    documents.hand_out(worst)
    return worst


def _behind(label: str, show: Callable[[int, bytes], None]) -> Show:
    if not label:
        return show
    from freezer.flows.runs.processes.lines import LabelledLines

    return LabelledLines(f"{label} ", show).take


def _identifier(todo: Invocation, submitted: Sequence[Submission]) -> str:
    return todo.sweep or submitted[0].run


def _title(todo: Invocation, submitted: Sequence[Submission]) -> str:
    what = f"{todo.sweep}, job array" if todo.values else f"run {submitted[0].run}, job"
    return f"{what} {submitted[0].job}"


def _print(todo: Invocation, submitted: Sequence[Submission]) -> None:
    identifier = _identifier(todo, submitted)
    if todo.json:
        from freezer.output.runs.made import submitted_document

        current.emit(submitted_document(todo.sweep, submitted))
    else:
        typer.echo(identifier)
    current.reporter().note(
        f"job {submitted[0].job}; `freeze runs logs -f {identifier}` follows it, "
        f"`freeze runs collect --wait {identifier}` waits for it"
    )

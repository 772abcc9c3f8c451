"""A sweep whose runs are processes of their own: several at once, or a detached one."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from freezer.cli.image.running.documents import documents_of_children
from freezer.cli.image.running.invocation import (
    CPUS_OPTION,
    GPUS_OPTION,
    REPORT_OPTION,
    run_command,
)
from freezer.cli.image.running.junit import junit_of_children
from freezer.cli.session import current
from freezer.cli.training_output import passed_on
from freezer.errors import EXIT_INTERRUPTED, EXIT_USER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from freezer.cli.image.running.invocation import Invocation
    from freezer.flows.project.project import Project
    from freezer.flows.runs.processes.jobs import Job, JobEnd, Watcher


def at_once(todo: Invocation) -> int:
    """Make the runs of a sweep, several at once; return the first exit code that is not 0."""
    show = passed_on(sys.stderr if todo.json else sys.stdout, sys.stderr)
    with (
        junit_of_children(todo.junit, len(todo.requests)) as files,
        documents_of_children(todo) as documents,
    ):
        listed = [
            job(todo, number, [*files[number], *documents.options(number)])
            for number in range(len(todo.requests))
        ]
        ends = make_runs(todo, listed, show)
        status = exit_code(ends)
        documents.hand_out(todo, ends, status)
    return status


def make_runs(
    todo: Invocation,
    listed: Sequence[Job],
    show: Callable[[int, bytes], None],
    watcher: Watcher | None = None,
) -> list[JobEnd]:
    """Make the runs of a sweep in processes of their own; return how each ended."""
    from freezer.flows.project.environment import load_locked
    from freezer.flows.runs.prepare import require_image
    from freezer.flows.runs.processes.jobs import Jobs
    from freezer.output.runs.run import show_jobs

    project = current.project()
    shares = shares_of(project, todo)
    require_image(project, load_locked(project.root, todo.env))
    jobs = Jobs(listed, shares, show, project.report, report_option=REPORT_OPTION, watcher=watcher)
    ends = jobs.run()
    show_jobs(ends, len(listed), current.stderr)
    return ends


def shares_of(project: Project, todo: Invocation) -> list[list[str]]:
    """Return the options that give each of the runs at once its own CPUs and GPUs.

    Runs in turn get what a single one gets. Raises ``RunError`` for more runs at once than CPUs or
    GPUs allow, however few the sweep has.
    """
    from freezer.flows.project.environment import load_environment, load_locked
    from freezer.flows.runs.prepare import sees_gpus
    from freezer.flows.runs.processes.shares import cpu_sets, gpu_sets

    if todo.jobs == 1:
        return [[]]
    environment, most = load_environment(project.root, todo.env), min(todo.jobs, len(todo.requests))
    each, cpus = environment.spec.resources.cpus, project.engine().info.cpus
    cpu_sets(cpus, todo.jobs, each)
    shares = [[CPUS_OPTION, _listed(one)] for one in cpu_sets(cpus, most, each)]
    if sees_gpus(environment, load_locked(project.root, todo.env), todo.request.gpus):
        from freezer.check.gpu import host_gpus

        gpus = len(host_gpus())
        gpu_sets(gpus, todo.jobs)
        for share, one in zip(shares, gpu_sets(gpus, most), strict=True):
            share += [GPUS_OPTION, _listed(one)]
    return shares


def job(todo: Invocation, number: int, more: Sequence[str] = ()) -> Job:
    """Return one run of a sweep as a process of its own; its label names its values."""
    from freezer.errors import printable
    from freezer.fetch.http.secret_words import REDACTED, is_secret_name
    from freezer.flows.runs.processes.jobs import Job

    request, total = todo.requests[number], len(todo.requests)
    chosen = {**request.params, "seed": str(request.seed)}
    words = [f"{one}={REDACTED if is_secret_name(one) else chosen[one]}" for one in todo.values]
    label = f"[{number + 1:>{len(str(total))}}/{total} {printable(' '.join(words))}]"
    return Job(label, (*run_command(todo, request), *more), request.command)


def exit_code(ends: Iterable[JobEnd]) -> int:
    """Return the exit code of a sweep: the first one that is not 0, but for what stands out."""
    codes = [one.exit_code for one in ends]
    if EXIT_INTERRUPTED in codes:
        return EXIT_INTERRUPTED
    if any(one.run is None for one in ends):
        return EXIT_USER
    return next((code for code in codes if code), 0)


def _listed(positions: Iterable[int]) -> str:
    return ",".join(map(str, positions))

"""`freeze run` in child processes: the command line of each."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

import typer

from freezer.cli.image.run_junit import junit_of_children
from freezer.cli.session import current
from freezer.cli.training_output import passed_on
from freezer.errors import EXIT_INTERRUPTED, EXIT_USER, RunError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from freezer.flows.project.project import Project
    from freezer.flows.runs.again.resume import Resume
    from freezer.flows.runs.children.jobs import Job, JobEnd
    from freezer.flows.runs.request import RunRequest
    from freezer.flows.runs.run import RunDone, Show, Started

CPUS_OPTION: Final = "--cpu-positions"
GPUS_OPTION: Final = "--gpu-positions"
REPORT_OPTION: Final = "--report-fd"
DETACHED_OPTION: Final = "--detached"


def run_at_once(
    env: str | None,
    found: Sequence[RunRequest],
    values: Mapping[str, Sequence[str]],
    jobs: int,
    how: Resume | None,
    junit: Path | None,
) -> int:
    """Make the runs of a sweep, several at once; return the first exit code that is not 0."""
    from freezer.flows.project.environment import load_locked
    from freezer.flows.runs.children.jobs import Jobs
    from freezer.flows.runs.scene import require_image
    from freezer.output.runs.run import show_jobs

    if not values:
        raise RunError("--jobs is for a sweep", expected="--each NAME=VALUES as well")
    project = current.project()
    shares = _shares(project, env, found, jobs)
    require_image(project, load_locked(project.root, env))
    with junit_of_children(junit, len(found)) as files:
        listed = [
            _job(
                [*child_command(env, one, how), *files[number - 1]], number, one, values, len(found)
            )
            for number, one in enumerate(found, 1)
        ]
        ends = Jobs(
            listed,
            shares,
            passed_on(sys.stdout, sys.stderr),
            project.report,
            report_option=REPORT_OPTION,
        ).run()
    show_jobs(ends, len(found), current.stderr)
    return _exit_code(ends)


def _shares(
    project: Project, env: str | None, found: Sequence[RunRequest], jobs: int
) -> list[list[str]]:
    """Return the options that give each of the runs at once its own CPUs and GPUs.

    Raises ``RunError`` for more runs at once than CPUs or GPUs allow, however few the sweep has.
    """
    from freezer.flows.project.environment import load_environment, load_locked
    from freezer.flows.runs.children.shares import cpu_sets, gpu_sets
    from freezer.flows.runs.scene import sees_gpus

    environment, most = load_environment(project.root, env), min(jobs, len(found))
    each, cpus = environment.spec.resources.cpus, project.engine().info.cpus
    cpu_sets(cpus, jobs, each)
    shares = [[CPUS_OPTION, _listed(one)] for one in cpu_sets(cpus, most, each)]
    if sees_gpus(environment, load_locked(project.root, env), found[0].gpus):
        from freezer.check.gpu import host_gpus

        gpus = len(host_gpus())
        gpu_sets(gpus, jobs)
        for share, one in zip(shares, gpu_sets(gpus, most), strict=True):
            share += [GPUS_OPTION, _listed(one)]
    return shares


def _listed(positions: Iterable[int]) -> str:
    return ",".join(map(str, positions))


def execute(
    project: Project,
    env: str | None,
    request: RunRequest,
    how: Resume | None,
    show: Show,
    started: Started | None,
) -> RunDone:
    """Make a run, from anew or from what another one left."""
    if how is None:
        from freezer.flows.runs.run import run

        return run(project, env, request, show, started)
    from freezer.flows.runs.again.resume import resume

    return resume(project, env, how, request, show, started)


def require_one_run(values: Mapping[str, object], junit: Path | None) -> None:
    """Refuse options that do not go with ``--detach``. Raises ``RunError``."""
    if values:
        raise RunError(
            "a sweep cannot be detached",
            expected="--detach without --each",
            hint="start a detached run for each value, or put the sweep into the background: "
            "nohup freeze run ... &",
        )
    if junit is not None:
        raise RunError("a detached run writes no JUnit file", expected="one of both options")


def run_detached(env: str | None, request: RunRequest, how: Resume | None) -> int:
    """Start a run that goes on by itself, print its ID, and return.

    Until it begins, its output and its errors are this command's: what is wrong is reported here.
    """
    from freezer.flows.runs.children.child import LONGEST_REPORT, read_start, start_child

    command = [*child_command(env, request, how), DETACHED_OPTION]
    child = start_child(command, REPORT_OPTION, request.command, piped=False)
    try:
        with os.fdopen(child.report, "rb") as stream:
            run = read_start(stream.read(LONGEST_REPORT))
        if run is None:
            return child.exit_code() or EXIT_USER
    except KeyboardInterrupt:
        child.interrupt()
        child.exit_code()
        return EXIT_INTERRUPTED
    typer.echo(run)
    current.reporter().note(
        f"`freeze runs logs -f {run}` follows it, `freeze runs stop {run}` ends it"
    )
    return 0


def run_by_itself(env: str | None, request: RunRequest, report_fd: int, how: Resume | None) -> int:
    """Make a run in this process, which another one started to go on without it."""
    from freezer.flows.runs.children.detached import DetachedOutput
    from freezer.output.runs.run import show_done

    project = current.project()
    output = DetachedOutput(project, request, report_fd)
    try:
        done = execute(project, env, request, how, output.show, output.started)
    finally:
        output.end()
    show_done(done, current.folder, current.stderr)
    return done.status


def _exit_code(ends: Iterable[JobEnd]) -> int:
    codes = [one.exit_code for one in ends]
    if EXIT_INTERRUPTED in codes:
        return EXIT_INTERRUPTED
    if any(one.run is None for one in ends):
        return EXIT_USER
    return next((code for code in codes if code), 0)


def _job(
    command: list[str], number: int, request: RunRequest, values: Mapping[str, object], total: int
) -> Job:
    from freezer.errors import printable
    from freezer.fetch.http.secret_words import REDACTED, is_secret_name
    from freezer.flows.runs.children.jobs import Job

    chosen = {**request.params, "seed": str(request.seed)}
    words = [f"{one}={REDACTED if is_secret_name(one) else chosen[one]}" for one in values]
    label = f"[{number:>{len(str(total))}}/{total} {printable(' '.join(words))}]"
    return Job(label, tuple(command), request.command)


def child_command(env: str | None, request: RunRequest, how: Resume | None) -> list[str]:
    """Return the command line of a process that makes one run, without what follows ``--``.

    ``-P`` keeps the project's own modules from being taken for those of Freezer and Python.
    """
    quiet = {0: ["-q"], 2: ["-v"]}.get(current.verbosity, [])
    words = [sys.executable, "-P", "-m", "freezer", "-C", str(current.folder), *quiet, "run"]
    words += [] if env is None else [env]
    for one in request.data or ():
        words += ["--data", one]
    for name, text in request.params.items():
        words += ["--param", f"{name}={text}"]
    if request.seed is not None:
        words += ["--seed", str(request.seed)]
    if request.gpus is not None:
        words.append("--gpus" if request.gpus else "--no-gpus")
    words += ["--clean"] if request.clean else []
    if how is not None:
        words += ["--resume", how.run, "--checkpoint", how.path]
        words += ["--new-code"] if how.new_code else []
    if request.plan is not None:
        words += ["--plan", request.plan.name]
    if request.output is not None:
        words += ["--output", str(request.output.absolute())]
    return words

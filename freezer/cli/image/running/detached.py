"""`freeze run --detach`: a run or a sweep that goes on without the terminal."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import typer

from freezer.cli.image.running.at_once import exit_code, job, make_runs
from freezer.cli.image.running.in_turn import execute
from freezer.cli.image.running.invocation import (
    DETACHED_OPTION,
    REPORT_OPTION,
    child_command,
    sweep_command,
)
from freezer.cli.session import current
from freezer.cli.training_output import passed_on
from freezer.errors import EXIT_INTERRUPTED, EXIT_USER, RunError
from freezer.output.console import leave_terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from freezer.cli.image.running.invocation import Invocation
    from freezer.flows.runs.processes.detached import DetachedOutput
    from freezer.flows.runs.processes.jobs import Job
    from freezer.flows.runs.processes.sweeps import SweepRecord
    from freezer.model.record.run import Run


def detach(todo: Invocation) -> int:
    """Start a run or a sweep that goes on by itself, print its ID, and return.

    Until it begins, its output and its errors are this command's: what is wrong is reported here.
    """
    from freezer.flows.runs.processes.child import LONGEST_REPORT, read_start, start_child

    if todo.junit is not None:
        raise RunError("a detached run writes no JUnit file", expected="one of both options")
    if todo.values:
        command = sweep_command(todo)
    else:
        command = child_command(todo.env, todo.request, todo.how)
    child = start_child(
        [*command, DETACHED_OPTION], REPORT_OPTION, todo.request.command, piped=False
    )
    try:
        with os.fdopen(child.report, "rb") as stream:
            begun = read_start(stream.read(LONGEST_REPORT))
        if begun is None:
            return child.exit_code() or EXIT_USER
    except KeyboardInterrupt:
        child.interrupt()
        child.exit_code()
        return EXIT_INTERRUPTED
    _print(todo, begun)
    return 0


def _print(todo: Invocation, identifier: str) -> None:
    from freezer.flows.runs.processes.detached import log_path
    from freezer.flows.runs.processes.sweeps import sweep_log
    from freezer.output.runs.made import detached_document

    project = current.project()
    log = (sweep_log if todo.values else log_path)(project, identifier)
    if todo.json:
        total = len(todo.requests) if todo.values else None
        current.emit(detached_document(identifier, log, total))
    else:
        typer.echo(identifier)
    current.reporter().note(
        f"`freeze runs logs -f {identifier}` follows it, `freeze runs stop {identifier}` ends it"
    )


def run_by_itself(todo: Invocation, report_fd: int) -> int:
    """Make a run in this process, which another one started to go on without it."""
    from freezer.flows.runs.processes.detached import DetachedOutput
    from freezer.output.runs.run import show_done

    project = current.project()
    output = DetachedOutput(project, [todo.request], report_fd)

    def started(run: Run) -> None:
        output.started(run)
        leave_terminal(current.stderr)

    try:
        done = execute(project, todo.env, todo.request, todo.how, output.show, started)
    finally:
        output.end()
    show_done(done, current.folder, current.stderr)
    return done.status


def sweep_by_itself(todo: Invocation, report_fd: int) -> int:
    """Make a sweep in this process, which another one started to go on without it.

    It leaves the terminal when its first run begins: whatever keeps that from beginning would keep
    the others from it, and is reported where the sweep was started.
    """
    from freezer.flows.runs.processes.detached import DetachedOutput

    project = current.project()
    listed = [job(todo, number) for number in range(len(todo.requests))]
    record = _record(todo, listed)
    output = DetachedOutput(project, todo.requests, report_fd)
    supervised = _Supervised(todo, record, output)
    try:
        ends = make_runs(todo, listed, supervised.show, supervised)
    finally:
        output.end()
    record.end([one.exit_code for one in ends])
    return exit_code(ends)


def _record(todo: Invocation, listed: Sequence[Job]) -> SweepRecord:
    from freezer.fetch.http.secret_words import redact_words
    from freezer.flows.runs.processes.sweeps import Sweep, SweepRecord
    from freezer.flows.support.clock import now_micros
    from freezer.model.record.run import Time

    sweep = Sweep(
        id=todo.sweep or "",
        environment=todo.env,
        state="running",
        started=Time(now_micros()),
        total=len(listed),
        command=redact_words(todo.request.command)[0],
    )
    return SweepRecord(current.project(), sweep, [one.label for one in listed])


class _Supervised:
    """Takes what the runs of a detached sweep print, and keeps what becomes of each."""

    def __init__(self, todo: Invocation, record: SweepRecord, output: DetachedOutput) -> None:
        self._sweep = todo.sweep or ""
        self._record = record
        self._output = output
        self._show: Callable[[int, bytes], None] = passed_on(sys.stdout, sys.stderr)
        self._left = False

    def show(self, stream: int, data: bytes) -> None:
        """Take output of the runs: for the terminal, or for the log once that is left."""
        self._show(stream, data)

    def began(self, number: int, run: str) -> None:
        """Keep that a run began; with the first one, leave the terminal."""
        from freezer.flows.runs.processes.sweeps import sweep_log

        self._record.began(number, run)
        if not self._left:
            self._left = True
            self._output.leave(sweep_log(current.project(), self._sweep), self._sweep)
            leave_terminal(current.stderr)
            self._show = self._output.show

    def ended(self, number: int, exit_code: int) -> None:
        """Keep how a run ended."""
        self._record.ended(number, exit_code)

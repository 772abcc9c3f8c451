"""Runs that are made in this process, one after the other."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from freezer.cli.image.running.documents import Documents
from freezer.cli.options import write_junit
from freezer.cli.session import current
from freezer.cli.training_output import passed_on
from freezer.errors import FreezerError

if TYPE_CHECKING:
    from freezer.cli.image.running.invocation import Invocation
    from freezer.flows.project.project import Project
    from freezer.flows.runs.repeat.resume import Resume
    from freezer.flows.runs.request import RunRequest
    from freezer.flows.runs.run import RunDone, Show, Started
    from freezer.model.record.run import Run


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
    from freezer.flows.runs.repeat.resume import resume

    return resume(project, env, how, request, show, started)


def in_turn(todo: Invocation, report_fd: int | None) -> int:
    """Make runs one after the other; return the first exit code that is not 0.

    With ``--json`` the training's output goes to stderr, and the document to stdout at the end.
    """
    from freezer.output.junit import of_run
    from freezer.output.runs.run import show_done

    started = None if report_fd is None else _reporting(report_fd)
    show = passed_on(sys.stderr if todo.json else sys.stdout, sys.stderr)
    documents, worst, suites = Documents(todo), 0, []
    try:
        for one in todo.requests:
            done = execute(current.project(), todo.env, one, todo.how, show, started)
            show_done(done, current.folder, current.stderr)
            suites.append(of_run(done))
            documents.add(done)
            worst = worst or done.status
            if done.run.state == "interrupted":
                break
    except FreezerError as error:
        documents.add_error(error)
        if todo.values:  # the document of a sweep also has the runs that were made before
            documents.hand_out(error.exit_code)
            current.json = False
        raise
    finally:  # a later run of a sweep that cannot start takes nothing from those before
        if suites:
            write_junit(todo.junit, suites)
    documents.hand_out(worst)
    return worst


def _reporting(report_fd: int) -> Started:
    from freezer.flows.runs.processes.child import report_start

    def started(run: Run) -> None:
        report_start(report_fd, run.id)

    return started

"""Runs whose process was killed: their container is ended, and what they left is recorded.

SIGKILL gives a process no chance to do either. What it leaves is a journal that nobody holds
locked. To look for one, one folder is read; the engine is contacted only where there is one.
"""

from __future__ import annotations

import errno
import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from freezer.engine.run.process import is_dead, on_this_machine
from freezer.errors import FreezerError, LedgerError
from freezer.fetch.http.secret_words import REDACTED
from freezer.flows.runs.folders import VIEWS, journal_path, journals, run_folder
from freezer.flows.support.clock import now_micros
from freezer.ledger.journal import dead_journals, reading_once
from freezer.model.record.run import Time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freezer.flows.project.project import Project
    from freezer.flows.runs.results.training_files import TrainingFiles
    from freezer.ledger.connect import Ledger
    from freezer.ledger.journal import Left
    from freezer.ledger.series import Points
    from freezer.model.record.run import Run


def settle(project: Project, ledger: Ledger, lost: str | None = None) -> None:
    """Record what dead processes of this machine left; their runs are ``interrupted``.

    ``lost`` is a run of another machine that is known to be gone.
    """
    _settle_journals(project, ledger, lost)
    _settle_ledger(project, ledger, lost)


def end_containers(project: Project) -> None:
    """End the containers of dead processes; where there is no engine they ended with it."""
    with suppress(FreezerError):
        project.engine().remove_dead()


def ended_by_death(left: Left) -> Run:
    """Return a journal's run as it is to be recorded: one that was running is interrupted."""
    if left.run.state != "running":
        return left.run
    try:
        last = left.path.stat().st_mtime_ns // 1000
    except OSError:
        last = now_micros()
    last = max(last, left.run.started.micros)  # the host's clock may have been set back
    values = {name: points.values[-1] for name, points in left.metrics.items() if len(points)}
    return replace(left.run.with_fields(values), state="interrupted", ended=Time(last))


def _settle_journals(project: Project, ledger: Ledger, lost: str | None) -> None:
    from freezer.ledger.record import record

    for left in dead_journals(journals(project)):
        ours = on_this_machine(left.run.owner) or left.run.id == lost
        killed = left.run.state == "running"
        if killed and not ours:
            continue  # in a folder that several machines share; their locks may not be seen here
        run = ended_by_death(left)
        metrics: Mapping[str, Points] = left.metrics
        if killed:
            if is_dead(run.owner):
                end_containers(project)  # before its files are read: it may go on writing
            shutil.rmtree(run_folder(project, run.id) / VIEWS, ignore_errors=True)
            run, metrics = _with_training_files(project, left, run)
        try:
            record(ledger, run, metrics, left.contents, whole=True)
            left.path.unlink(missing_ok=True)
        except (LedgerError, OSError) as error:
            project.report.warn(f"run {run.id} stays in its journal: {error}")
            continue
        if killed:
            project.report.note(f"run {run.id} was killed before it ended; recorded as interrupted")


def _settle_ledger(project: Project, ledger: Ledger, lost: str | None) -> None:
    """End the runs whose process is dead, and whose journal is not here: another project's."""
    from freezer.ledger.live import running
    from freezer.ledger.record import change

    def end(run: Run) -> Run:
        return replace(run, state="interrupted") if run.state == "running" else run

    for run in running(ledger):
        dead = is_dead(run.owner) or run.id == lost
        if dead and not journal_path(project, run.id).exists():
            if is_dead(run.owner):
                end_containers(project)
            change(ledger, run.id, end)
            project.report.note(f"run {run.id} was killed before it ended; recorded as interrupted")


def _with_training_files(
    project: Project, left: Left, run: Run
) -> tuple[Run, Mapping[str, Points]]:
    """Return a killed run and its series with what its training recorded in its output folder.

    Where a first attempt was killed as well, there is no second one: whatever the files hold, they
    keep no command from its work.
    """
    from freezer.flows.runs.results.outputs import output_sizes
    from freezer.flows.runs.results.training_files import training_files, with_training_files

    folder = Path(str(run.owner.get("output", "")))
    if not folder.is_absolute() or not folder.is_dir():
        return run, left.metrics
    try:
        if left.read_before:
            raise OSError(errno.EIO, "a command was killed while it read it")
        with reading_once(left.path):
            found = training_files(folder, output_sizes(folder))
    except OSError as error:
        project.report.warn(f"the output of run {run.id} is not read: {error.strerror}")
        return run, left.metrics
    for note in found.notes:
        project.report.warn(f"in the output of run {run.id}: {note}")
    if had_secrets(run):
        found = numbers_of(found)
        project.report.note(
            f"run {run.id} got secrets, which are recorded nowhere: of what its training recorded "
            "for other tools only numbers are recorded"
        )
    return with_training_files(run, left.metrics, found)


def had_secrets(run: Run) -> bool:
    """Return whether secrets were left out of a run: which ones is not known any more."""
    given = (value for name, value in run.fields.items() if name.startswith(("given.", "params.")))
    return REDACTED in given or any(REDACTED in word for word in run.command)


def numbers_of(found: TrainingFiles) -> TrainingFiles:
    """Return what a training recorded for other tools without any text."""
    fields = {name: value for name, value in found.fields.items() if not isinstance(value, str)}
    return replace(found, fields=fields, tags={})

"""Where the runs of a project are recorded, and the journals of killed runs."""

from __future__ import annotations

import os
from contextlib import closing, contextmanager
from dataclasses import replace
from string import Template
from time import time_ns
from typing import TYPE_CHECKING, Final

from freezer.engine.run.process import is_dead, on_this_machine
from freezer.errors import LedgerError
from freezer.flows.runs.folders import FOLDER, folder, journal_path, journals
from freezer.ledger.journal import dead_journals
from freezer.model.record.run import Time

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from freezer.flows.project.project import Project
    from freezer.ledger.connect import Ledger
    from freezer.ledger.journal import Left
    from freezer.model.record.run import Run

LEDGER: Final = "ledger.db"
NOTHING: Final = "sqlite://"
"""A ledger in memory: what is found where nothing was recorded yet."""


def address(project: Project) -> str | Path:
    """Return where the ledger is: what the configuration names, or a file in the project."""
    if project.config.ledger is not None:
        return Template(project.config.ledger).safe_substitute(os.environ)
    return folder(project) / LEDGER


def _has_journals(path: Path) -> bool:
    return any((path / "journal").glob("*.jsonl"))


@contextmanager
def project_ledger(project: Project, *, reading: bool = False) -> Iterator[Ledger]:
    """Open the project's ledger; first it gets what earlier commands could not record.

    With ``reading`` nothing is created, and a folder that may not be written is good enough.
    Raises ``LedgerError``, and ``LedgerGoneError`` where the database is out of reach.
    """
    from freezer.ledger.connect import open_ledger, read_only

    if reading and project.config.ledger is None:
        path = project.root / FOLDER
        writable = os.access(path, os.W_OK)
        if not path.is_dir() or (not (path / LEDGER).exists() and not _has_journals(path)):
            with closing(open_ledger(NOTHING)) as ledger:
                yield ledger
            return
        if not writable:
            with closing(open_ledger(read_only(path / LEDGER))) as ledger:
                yield ledger
            return
    ledger = open_ledger(address(project))
    try:
        settle(project, ledger)
        yield ledger
    finally:
        ledger.close()


def settle(project: Project, ledger: Ledger, lost: str | None = None) -> None:
    """Record what dead processes of this machine left; their runs are ``interrupted``.

    ``lost`` is a run of another machine that is known to be gone.
    """
    _settle_journals(project, ledger, lost)
    _settle_ledger(project, ledger, lost)


def _settle_journals(project: Project, ledger: Ledger, lost: str | None) -> None:
    from freezer.ledger.record import record

    for left in dead_journals(journals(project)):
        ours = on_this_machine(left.run.owner) or left.run.id == lost
        if left.run.state == "running" and not ours:
            continue  # in a folder that several machines share; their locks may not be seen here
        run = ended_by_death(left)
        try:
            record(ledger, run, left.metrics, left.contents, whole=True)
            left.path.unlink(missing_ok=True)
        except (LedgerError, OSError) as error:
            project.report.warn(f"run {run.id} stays in its journal: {error}")
            continue
        if run.state == "interrupted" and left.run.state == "running":
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
            change(ledger, run.id, end)
            project.report.note(f"run {run.id} was killed before it ended; recorded as interrupted")


def ended_by_death(left: Left) -> Run:
    """Return a journal's run as it is to be recorded: one that was running is interrupted."""
    if left.run.state != "running":
        return left.run
    try:
        last = left.path.stat().st_mtime_ns
    except OSError:
        last = time_ns()
    values = {name: points.values[-1] for name, points in left.metrics.items() if len(points)}
    return replace(left.run.with_fields(values), state="interrupted", ended=Time(last // 1000))

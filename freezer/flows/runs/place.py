"""Where the runs of a project are recorded, and the journals of killed runs."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import replace
from string import Template
from time import time_ns
from typing import TYPE_CHECKING, Final

from freezer.errors import LedgerError
from freezer.fetch.store.atomic import disk_errors
from freezer.ledger.journal import dead_journals
from freezer.model.record.run import Time

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from freezer.flows.project.project import Project
    from freezer.ledger.connect import Ledger
    from freezer.ledger.journal import Left
    from freezer.model.record.run import Run

FOLDER: Final = ".freezer"
"""In the project; git ignores it."""


def folder(project: Project) -> Path:
    """Return the project's folder of records, made where it is not there. Raises ``HostError``."""
    path = project.root / FOLDER
    with disk_errors(project.root):
        path.mkdir(exist_ok=True)
        ignore = path / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
    return path


def journals(project: Project) -> Path:
    """Return the folder of journals."""
    return folder(project) / "journal"


def run_folder(project: Project, identifier: str) -> Path:
    """Return the folder of one run: its output, and what the container wrote down of it."""
    return folder(project) / "runs" / identifier


def address(project: Project) -> str | Path:
    """Return where the ledger is: what the configuration names, or a file in the project."""
    if project.config.ledger is not None:
        return Template(project.config.ledger).safe_substitute(os.environ)
    return folder(project) / "ledger.db"


@contextmanager
def project_ledger(project: Project) -> Iterator[Ledger]:
    """Open the project's ledger; first it gets what earlier commands could not record.

    Raises ``LedgerError``, and ``LedgerGoneError`` where the database is out of reach.
    """
    from freezer.ledger.connect import open_ledger

    ledger = open_ledger(address(project))
    try:
        settle(project, ledger)
        yield ledger
    finally:
        ledger.close()


def settle(project: Project, ledger: Ledger) -> None:
    """Record what dead processes left in journals; their runs are ``interrupted``."""
    from freezer.ledger.record import record

    for left in dead_journals(journals(project)):
        run = ended_by_death(left)
        try:
            record(ledger, run, left.metrics, left.contents, whole=True)
            left.path.unlink(missing_ok=True)
        except (LedgerError, OSError) as error:
            project.report.warn(f"run {run.id} stays in its journal: {error}")
            continue
        if run.state == "interrupted" and left.run.state == "running":
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

"""The ledger of a project: where its runs are recorded."""

from __future__ import annotations

import os
from contextlib import closing, contextmanager, suppress
from string import Template
from typing import TYPE_CHECKING, Final

from freezer.errors import FreezerError, LedgerGoneError
from freezer.flows.runs.folders import FOLDER, LEDGER, folder, has_journals, submitted
from freezer.flows.runs.killed import end_containers, settle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from freezer.flows.project.project import Project
    from freezer.ledger.connect import Ledger

NOTHING: Final = "sqlite://"
"""An empty ledger in memory, for a project without recorded runs."""


def address(project: Project) -> str | Path:
    """Return where the ledger is: what the configuration names, or a file in the project."""
    if project.config.ledger is not None:
        return Template(project.config.ledger).safe_substitute(os.environ)
    return folder(project) / LEDGER


def settle_killed(project: Project) -> None:
    """End and record runs that were killed, in a command that is not about runs.

    A database of the team is left to commands about runs: it may be out of reach, and this one does
    not need it. The container is ended nevertheless.
    """
    if project.config.ledger is not None:
        end_containers(project)
        return
    with suppress(FreezerError), project_ledger(project, collecting=False):
        pass  # opening it is all


def _has_runs(path: Path) -> bool:
    """Return whether a folder of records has a ledger, or something that belongs into one."""
    return (path / LEDGER).exists() or has_journals(path) or submitted(path.parent)


def _nothing_yet(project: Project) -> bool:
    """Return whether there is no ledger yet, and nothing that belongs into one."""
    from freezer.ledger.connect import is_missing

    path = project.root / FOLDER
    if project.config.ledger is None:
        return not path.is_dir() or not _has_runs(path)
    waiting = has_journals(path) or submitted(project.root)
    return not waiting and is_missing(address(project))


def _collect(project: Project, ledger: Ledger) -> None:
    """Record the results of jobs on a cluster; where there are none, one folder is listed."""
    if submitted(project.root):
        from freezer.flows.runs.spool.collect import collect

        collect(project, ledger)


@contextmanager
def project_ledger(
    project: Project, *, reading: bool = False, collecting: bool = True
) -> Iterator[Ledger]:
    """Open the project's ledger, and record what earlier commands could not.

    With ``reading`` nothing is created, and a read-only folder or a full disk is accepted. Unless
    ``collecting``, the results of jobs on a cluster stay where they are.
    Raises ``LedgerError``, and ``LedgerGoneError`` where the database is out of reach.
    """
    from freezer.ledger.connect import at_rest, is_at_rest, open_ledger, read_only

    path = project.root / FOLDER
    if reading and _nothing_yet(project):
        with closing(open_ledger(NOTHING)) as ledger:
            yield ledger
        return
    if reading and project.config.ledger is None and not os.access(path, os.W_OK):
        with closing(open_ledger(read_only(path / LEDGER))) as ledger:
            yield ledger
        return
    try:
        ledger = open_ledger(address(project))
    except LedgerGoneError:
        path /= LEDGER
        if not reading or project.config.ledger is not None or not is_at_rest(path):
            raise
        # Even to read, SQLite writes next to its file, for which a full disk has no room.
        with closing(open_ledger(at_rest(path))) as ledger:
            yield ledger
        return
    try:
        settle(project, ledger)
        if collecting:
            _collect(project, ledger)
        yield ledger
    finally:
        ledger.close()

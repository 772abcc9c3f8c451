"""Paths in a project's folder of records, ``.freezer``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from freezer.fetch.store.atomic import disk_errors
from freezer.ledger.left import SUFFIX

if TYPE_CHECKING:
    from pathlib import Path

    from freezer.flows.project.project import Project

FOLDER: Final = ".freezer"
"""In the project; git ignores it."""
LEDGER: Final = "ledger.db"
"""In that folder, unless the configuration names another ledger."""
LIVE_SWEEP: Final = ".live"
"""Suffix of the file of a detached sweep that runs."""
VIEWS: Final = "data"
"""In the folder of a run while it runs: the data sets that its container sees as links."""


def folder(project: Project) -> Path:
    """Return the project's folder of records, made where it is not there. Raises ``HostError``."""
    path = project.root / FOLDER
    with disk_errors(project.root):
        path.mkdir(exist_ok=True)
        ignore = path / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
    return path


def has_ledger(project: Project) -> bool:
    """Whether runs may have been recorded. Asked first, because to read any takes SQLAlchemy."""
    return project.config.ledger is not None or (project.root / FOLDER).is_dir()


def journals(project: Project) -> Path:
    """Return the folder of journals; creates its parent."""
    return journals_in(folder(project).parent)


def journals_in(root: Path) -> Path:
    """Return the folder of journals below a project's root; it may not exist."""
    return root / FOLDER / "journal"


def has_journals(path: Path) -> bool:
    """Return whether a folder of records has a journal, of a run that runs or that was killed."""
    return any((path / "journal").glob(f"*{SUFFIX}"))


def sweeps_in(root: Path) -> Path:
    """Return the folder of detached sweeps below a project's root; it may not exist."""
    return root / FOLDER / "sweeps"


def submissions_in(root: Path) -> Path:
    """Return the folder of runs that were handed to a cluster; it may not exist."""
    return root / FOLDER / "cluster"


def submitted(root: Path) -> bool:
    """Return whether there are such runs whose result is not recorded; one folder is listed."""
    return any(submissions_in(root).glob("*.json"))


def any_sweep_under_way(root: Path) -> bool:
    """Return whether a detached sweep runs, or ran when its process was killed."""
    return any(sweeps_in(root).glob(f"*{LIVE_SWEEP}"))


def run_folder(project: Project, identifier: str) -> Path:
    """Return the folder of one run: its output, and the runner's record."""
    return folder(project) / "runs" / identifier


def journal_path(project: Project, identifier: str) -> Path:
    """Return the path of a run's journal."""
    return journals_in(project.root) / f"{identifier}{SUFFIX}"

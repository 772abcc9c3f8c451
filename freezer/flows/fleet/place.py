"""Where the fleets of a project are kept."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from freezer.fetch.store.atomic import disk_errors

if TYPE_CHECKING:
    from freezer.flows.project.project import Project

VARIABLE: Final = "FREEZER_FLEETS"
"""Names another folder than the project's, on a file system that the hosts share."""
_PROJECT: Final = ".freezer"


def fleets_folder(project: Project) -> Path:
    """Return the folder of all fleets, made where it is not there. Raises ``HostError``."""
    path = fleets_path(project)
    with disk_errors(project.root):
        path.mkdir(parents=True, exist_ok=True)
        ignore = project.root / _PROJECT / ".gitignore"
        if ignore.parent.is_dir() and not ignore.exists():
            ignore.write_text("*\n")
    return path


def fleets_path(project: Project) -> Path:
    """Return the path of that folder, existing or not."""
    named = os.environ.get(VARIABLE)
    return Path(named).resolve() if named else (project.root / _PROJECT / "fleets").resolve()

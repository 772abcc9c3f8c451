"""Find the project's folder from any folder below it, as git finds a repository."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from freezer.model.file_names import IMAGES, LOCK_FILE, LOCKS, PROJECT_FILE, SPEC_FILE

if TYPE_CHECKING:
    from pathlib import Path

_MARKS = (
    f"{IMAGES}/*/{SPEC_FILE}",
    f"{LOCKS}/*/{LOCK_FILE}",
    PROJECT_FILE,
    SPEC_FILE,
)
"""What only a project's folder holds."""


def find_project(start: Path) -> Path:
    """Return the nearest folder, from ``start`` upwards, that is a project's; else ``start``.

    ``images/ENV`` is part of the project around it, although it holds a ``freeze.yaml``. Above
    ``start`` a folder counts only if the current user, root or the owner of ``start`` put the files
    there: otherwise anyone could leave a configuration in a shared folder such as ``/tmp``.
    """
    start = start.absolute()
    owners = {0, os.getuid(), _owner(start)}
    for folder in (start, *start.parents):
        mark = _mark(folder)
        if mark is None or _is_environment(folder):
            continue
        if folder == start or _owner(mark) in owners:
            return folder
    return start


def _mark(folder: Path) -> Path | None:
    """Return a file that makes a folder a project's."""
    with suppress(OSError):  # a folder that may not be read
        return next((path for mark in _MARKS for path in folder.glob(mark)), None)
    return None


def _is_environment(folder: Path) -> bool:
    """Say whether a folder is ``images/ENV`` of a project, and no project of its own."""
    own = (folder / LOCKS).is_dir() or (folder / IMAGES).is_dir()
    return folder.parent.name == IMAGES and (folder / SPEC_FILE).is_file() and not own


def _owner(path: Path) -> int | None:
    with suppress(OSError):
        return path.lstat().st_uid
    return None

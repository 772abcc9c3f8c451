"""Finds out whether a dead process left a journal, without reading one; quick to import."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

SUFFIX: Final = ".jsonl"
"""Suffix of a journal's name."""


def any_left(folder: Path) -> bool:
    """Return whether any journal in a folder has no living writer; False without the folder."""
    try:
        with os.scandir(folder) as entries:
            paths = [entry.path for entry in entries if entry.name.endswith(SUFFIX)]
    except OSError:
        return False
    return any(map(_is_left, paths))


def _is_left(path: str) -> bool:
    try:
        with open(path, "rb") as stream:  # noqa: PTH123 - a text
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)  # fails while its writer lives
    except OSError:
        return False
    return True

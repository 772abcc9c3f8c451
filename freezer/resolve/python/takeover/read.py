"""Existing locks of Python packages among a spec's files, recognised by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.resolve.python.takeover.file_names import PYLOCK, UV_LOCK

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from freezer.resolve.python.takeover.pins import LockedPackages


def is_lock(name: str) -> bool:
    """Return whether a file of that name is a supported lock."""
    file = name.rpartition("/")[2]
    return file == UV_LOCK or PYLOCK.match(file) is not None


def read_packages(
    path: Path, text: str, shown: str, extras: Sequence[str], groups: Sequence[str]
) -> LockedPackages:
    """Return the packages of a lock, for some extras and groups. Raises ``SpecError``."""
    if path.name == UV_LOCK:
        from freezer.resolve.python.takeover.uv_lock import read_uv_lock

        return read_uv_lock(text, shown, extras, groups).next_to(path.parent)
    from freezer.resolve.python.takeover.pylock import read_pylock

    return read_pylock(text, shown, extras, groups)

"""Reads existing locks: ``conda-lock.yml``, ``pixi.lock``, explicit files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.errors import SpecError, Where
from freezer.resolve.python.takeover.pins import Refusals

if TYPE_CHECKING:
    from pathlib import Path

    from freezer.fetch.config import Config
    from freezer.resolve.conda.takeover.pins import Taken


def read_lock(kind: str, path: Path, label: str, subdir: str, config: Config) -> Taken:
    """Return the packages of a lock for a platform; kinds as of `environment.lock_kind`.

    Raises ``SpecError`` when it cannot be read, has nothing for the platform, or has a package that
    is not pinned to a published file's hash: another of the same name is never used instead.
    """
    if kind == "explicit":
        from freezer.resolve.conda.takeover.explicit import read_explicit as read
    elif kind == "conda-lock":
        from freezer.resolve.conda.takeover.conda_lock import read_conda_lock as read
    else:
        from freezer.resolve.conda.takeover.pixi_lock import read_pixi_lock as read
    taken = read(path, label, subdir, config)
    Refusals(label, taken.refused).require_none()
    bare = [f"{pin.name} {pin.version}" for pin in taken.pins if not (pin.md5 or pin.sha256)]
    if bare:
        raise SpecError(
            "the lock has no hash for some files",
            where=Where(label),
            details=bare,
            hint="regenerate it with hashes (`conda list --explicit --md5`)",
        )
    return taken

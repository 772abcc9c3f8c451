"""Parses ``conda-lock.yml`` with conda-lock's own parser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freezer.errors import SpecError, Where
from freezer.fetch.http.redact import redact
from freezer.resolve.conda.solver.conda_lock_library import conda_lock_module
from freezer.resolve.conda.takeover.pins import Taken, named, nothing_for, pin

if TYPE_CHECKING:
    from pathlib import Path

    from freezer.fetch.config import Config

_INSTALLED = frozenset({"main", "dev"})
"""The categories that `conda-lock install` installs by default."""


def read_conda_lock(path: Path, label: str, subdir: str, config: Config) -> Taken:
    """Return the packages of a conda-lock.yml for a platform. Raises ``SpecError``."""
    where = Where(label)
    mine, platforms = [], set[str]()
    for item in _parse(path, label).package:
        platforms.add(item.platform)
        if item.platform == subdir:
            mine.append(item)
    if not mine:
        raise nothing_for(label, subdir, platforms)
    taken, left = Taken(), set[str]()
    for item in mine:
        if not _INSTALLED & set(item.categories):
            left |= set(item.categories)
        elif item.manager == "pip":
            taken.take_pip(
                item.name,
                item.version,
                item.source.url if item.source is not None else item.url,
                item.hash.sha256,
                where,
                direct=item.source is not None,
                requires=[name for name in item.dependencies if name != "python"],
            )
        elif not item.url.startswith(("http://", "https://", "file://")):
            taken.refused.append(redact(f"{item.name} {item.version}: from {item.url}"))
        else:
            known = {"md5": item.hash.md5, "sha256": item.hash.sha256}
            found = pin(item.url, where, folder=path.parent, config=config, **known)
            taken.pins.append(named(found, item.name, item.version))
    if left:
        taken.warnings.append(
            f"{label}: packages only in {', '.join(sorted(left))} were skipped, as "
            "`conda-lock install` does"
        )
    return taken


def _parse(path: Path, label: str) -> Any:
    lockfile = conda_lock_module("lockfile")
    try:
        return lockfile.parse_conda_lock_file(path)
    except Exception as error:
        raise SpecError(
            f"{label} cannot be read by conda-lock",
            where=Where(label),
            found=redact(str(error).splitlines()[0]),
            hint="regenerate it with `conda-lock`, or name the environment.yml it was made from",
        ) from error

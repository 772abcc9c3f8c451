"""``freeze export``: the pip half of a lock as a ``pylock.toml``, with current URLs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.errors import ArtifactGoneError
from freezer.fetch.http.redact import without_secrets
from freezer.fetch.http.url import encoded_path
from freezer.fetch.python.index import PythonIndex
from freezer.flows.image.current_lock import load_current_lock
from freezer.flows.lock.sources import requirements_if_any
from freezer.model.exports.pylock import pylock_text

if TYPE_CHECKING:
    from freezer.flows.project.project import Project
    from freezer.model.lock import PipPackage


def export_pylock(project: Project, name: str | None) -> str:
    """Return an environment's ``pylock.toml``; every URL is that of a configured index.

    Raises ``ArtifactGoneError`` for files that no index has, ``FetchError`` for an index out of
    reach, ``IntegrityError`` where one lists other bytes.
    """
    lock = load_current_lock(project, name).lock
    options = requirements_if_any(project, lock.name).pip.options
    index = PythonIndex.from_config(project.config, options)
    found = {package.sha256: _address(package, index) for package in lock.pip}
    if missing := [item.file for item in lock.pip if found[item.sha256] is None]:
        raise ArtifactGoneError(
            "no index has these files, so a pylock.toml cannot list them",
            details=missing,
            hint="configure an index that has them",
        )
    if lock.conda:
        project.report.warn(
            "this environment has conda packages, which a pylock.toml cannot contain; it has the "
            "pip half only"
        )
    return pylock_text(lock, {sha256: url for sha256, url in found.items() if url})


def _address(package: PipPackage, index: PythonIndex) -> str | None:
    if package.source != "pypi":
        return package.url
    location = next(iter(index.locate(package)), None)
    return without_secrets(encoded_path(location.url)) if location else None

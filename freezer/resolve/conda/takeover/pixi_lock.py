"""Parses ``pixi.lock`` with rattler's own parser, which returns full records."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from freezer.errors import SpecError, Where
from freezer.fetch.http.redact import redact
from freezer.resolve.conda.takeover.pins import Taken, named, nothing_for, pin

if TYPE_CHECKING:
    from pathlib import Path

    from freezer.fetch.config import Config


def read_pixi_lock(path: Path, label: str, subdir: str, config: Config) -> Taken:
    """Return the default environment of a pixi.lock for a platform. Raises ``SpecError``."""
    from rattler import PypiLockedPackage

    environment = _environment(path, label)
    platforms = {str(_name(item)): item for item in environment.platforms()}
    if subdir not in platforms:
        raise nothing_for(label, subdir, set(platforms))
    taken, where = Taken(), Where(label)
    for package in environment.packages(platforms[subdir]) or []:
        if isinstance(package, PypiLockedPackage):
            _take_pip(package, where, taken)
        elif (record := _record(package)) is not None:
            document = json.loads(record.to_json())
            known = {"md5": document.get("md5"), "sha256": document.get("sha256")}
            found = pin(record.url, where, folder=path.parent, config=config, **known)
            found = named(found, document["name"], document["version"])
            taken.pins.append(replace(found, record=document))
        else:
            taken.refused.append(redact(f"{package.name}: from {package.location}"))
    return taken


def _record(package: Any) -> Any | None:
    """Return a package's repodata record; None for source packages and local folders."""
    from rattler import CondaLockedBinaryPackage
    from rattler.exceptions import ConversionError

    if not isinstance(package, CondaLockedBinaryPackage):
        return None
    try:
        return package.repo_data_record()
    except ConversionError:  # a path relative to the project
        return None


def _take_pip(package: Any, where: Where, taken: Taken) -> None:
    digest = _sha256(package)
    location = package.location
    direct = location.startswith("direct+")
    url = location.removeprefix("direct+")
    sha256 = digest.hex() if digest else None
    taken.take_pip(package.name, package.version, url, sha256, where, direct=direct)


def _is_published(location: str) -> bool:
    return location.startswith(("http://", "https://", "file://"))


def _environment(path: Path, label: str) -> Any:
    from rattler import LockFile

    try:
        lock = LockFile.from_path(path)
    except Exception as error:
        raise SpecError(
            f"{label} cannot be read by rattler",
            where=Where(label),
            found=redact(str(error).splitlines()[0]),
            hint="regenerate it with `pixi lock`",
        ) from error
    environments = dict(lock.environments())
    if "default" not in environments:
        raise SpecError(
            f"{label} has no environment called 'default'",
            where=Where(label),
            found=", ".join(sorted(environments)) or "none at all",
            hint="only the default environment of a pixi.lock is used",
        )
    return environments["default"]


def _name(platform: Any) -> str:
    return str(platform.name)


def _sha256(package: Any) -> bytes | None:
    try:
        found: bytes | None = package.hashes.sha256
    except AttributeError:  # rattler's value for a missing hash
        return None
    return found

"""Releases of a package on the indexes, for error messages."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import parse_wheel_filename

from freezer.errors import FetchError
from freezer.fetch.python.filenames import version_of
from freezer.resolve.python.tags import best_wheel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.version import Version

    from freezer.fetch.python.index import PythonIndex
    from freezer.fetch.python.simple_api import IndexFile
    from freezer.model.lock import Target

_CPYTHON = re.compile(r"cp(?P<major>[23])(?P<minor>\d+)\Z")
_MANYLINUX = re.compile(r"manylinux_(?P<major>\d+)_(?P<minor>\d+)_")


_SYSTEMS = {"Linux": "manylinux", "Alpine Linux (musl)": "musllinux", "macOS": "macosx",
            "Windows": "win"}  # fmt: skip
"""Names of operating systems, and a part of the platform tags of their wheels."""


@dataclass(frozen=True)
class Release:
    """One version with its files on an index."""

    version: Version
    wheels: tuple[str, ...]
    sdist: bool
    yanked: bool = False
    """True when all its files are yanked: only an exact pin selects it."""
    uploaded: str | None = None
    """When its first file was uploaded (UTC), if known."""
    requires_python: str | None = None
    """Its ``Requires-Python`` (``>=3.9``), if its files agree."""
    withdrawn: str = ""
    """The maintainer's reason for yanking it."""

    def runs_on(self, python: str) -> bool:
        """Return whether it supports a full Python version; undeclared support counts as yes."""
        try:
            wanted = SpecifierSet(self.requires_python or "")
        except InvalidSpecifier:
            return True
        return wanted.contains(python, prereleases=True)

    def systems(self) -> tuple[str, ...]:
        """Return the operating systems of its wheels; empty when one fits all."""
        platforms = {
            tag.platform for wheel in self.wheels for tag in parse_wheel_filename(wheel)[3]
        }
        if "any" in platforms:
            return ()
        return tuple(
            name for name, part in _SYSTEMS.items() if any(part in one for one in platforms)
        )

    def pythons(self) -> set[str]:
        """Return the CPython versions (``3.11``) of its wheels."""
        tags = (tag for wheel in self.wheels for tag in parse_wheel_filename(wheel)[3])
        found = (_CPYTHON.match(tag.interpreter) for tag in tags)
        return {f"{match['major']}.{match['minor']}" for match in found if match}

    def glibc(self, python: str, architecture: str) -> str | None:
        """Return the minimum glibc (``2.39``) of its wheels for a Python and machine."""
        interpreter = f"cp{python.replace('.', '')}"
        tags = (tag for wheel in self.wheels for tag in parse_wheel_filename(wheel)[3])
        found = [
            (int(match["major"]), int(match["minor"]))
            for tag in tags
            if tag.interpreter == interpreter and tag.platform.endswith(architecture)
            for match in [_MANYLINUX.match(tag.platform)]
            if match
        ]
        return ".".join(map(str, min(found))) if found else None

    def architectures(self) -> set[str]:
        """Return the supported machines that have a Linux wheel."""
        tags = [tag for wheel in self.wheels for tag in parse_wheel_filename(wheel)[3]]
        return {
            machine
            for machine in ("x86_64", "aarch64")
            if any(tag.platform.endswith(machine) and "linux" in tag.platform for tag in tags)
        }


def releases(index: PythonIndex, project: str, as_of: str | None = None) -> list[Release]:
    """Return a project's releases, oldest version first; empty when out of reach.

    Files known to be newer than ``as_of`` are excluded.
    """
    by_version: dict[Version, list[IndexFile]] = {}
    for file in _files(index, project):
        version = version_of(file.name)
        if version and not (as_of and is_newer(file, as_of)):
            by_version.setdefault(version, []).append(file)
    return [_release(version, by_version[version]) for version in sorted(by_version)]


def _files(index: PythonIndex, project: str) -> list[IndexFile]:
    """Return all listed files; a date that one index lacks may be on another."""
    try:
        files = list(index.files(project))
    except FetchError:
        return []
    if all(file.uploaded for file in files):
        return files
    dates = {file.name: file.uploaded for file in files if file.uploaded}
    return [replace(file, uploaded=dates.get(file.name)) for file in files]


def _release(version: Version, files: list[IndexFile]) -> Release:
    wheels = tuple(file.name for file in files if file.name.endswith(".whl"))
    yanked = all(file.yanked is not None for file in files)
    dates = [file.uploaded for file in files if file.uploaded is not None]
    uploaded = f"{min(dates)[:19]}Z" if dates else None
    pythons = {file.requires_python for file in files}
    return Release(
        version,
        wheels,
        len(wheels) < len(files),
        yanked,
        uploaded,
        requires_python=pythons.pop() if len(pythons) == 1 else None,
        withdrawn=next((file.yanked for file in files if file.yanked), "") if yanked else "",
    )


def is_newer(file: IndexFile, as_of: str) -> bool:
    """Return whether a file is known to be uploaded after a time, to the second."""
    return file.uploaded is not None and file.uploaded[:19] >= as_of[:19]


def within(found: Iterable[Release], specifier: str) -> list[Release]:
    """Return the releases that a specifier such as ``>=1,<2`` admits, pre-releases included."""
    try:
        wanted = SpecifierSet(specifier)
    except InvalidSpecifier:
        return list(found)
    return [item for item in found if wanted.contains(item.version, prereleases=True)]


def fitting(found: Iterable[Release], target: Target) -> list[Release]:
    """Return the releases that have a wheel for the target and are not yanked."""
    return [item for item in found if not item.yanked and best_wheel(item.wheels, target)]

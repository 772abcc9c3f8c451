"""Files that carry no date: which index has them, and what to tell the user.

A cut-off can only be held against an index that says when its files were uploaded. Many do not: a
folder of wheels, PyTorch's own index, most company mirrors.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import Version

from freezer.errors import FetchError
from freezer.fetch.redact import redact
from freezer.fetch.simple import project_files
from freezer.resolve.offer import releases

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from freezer.fetch.indexes import Indexes
    from freezer.fetch.pypi import PythonIndex
    from freezer.model.lock import PipPackage

_SKIPPED = re.compile(r"^warning: `(?P<file>[^`]+)` is missing an upload date", re.MULTILINE)
_SAID = re.compile(r"^warning: (?P<text>.+)$", re.MULTILINE)
_OWN_AFFAIRS = ("is missing an upload date", "experimental", "requested Python version")


def skipped_files(stderr: str) -> tuple[str, ...]:
    """Return the files that uv left out because they have no date."""
    return tuple(dict.fromkeys(match["file"] for match in _SKIPPED.finditer(stderr)))


def undated_indexes(skipped: Sequence[str], indexes: Indexes) -> tuple[str, ...]:
    """Return the indexes that hold some of these files without saying when they came."""
    wanted: dict[str, set[str]] = {}
    for name, _, file in _wheels(skipped):
        wanted.setdefault(name, set()).add(file)
    return tuple(
        url
        for url in indexes.index_urls
        if any(_holds_undated(url, name, files) for name, files in wanted.items())
    )


def _holds_undated(url: str, project: str, files: set[str]) -> bool:
    try:
        listed = project_files(url, project)
    except FetchError:
        return False
    return any(file.uploaded is None and file.name in files for file in listed)


def undated_warnings(
    stderr: str, locked: Sequence[PipPackage], undated: Sequence[str], index: PythonIndex
) -> list[str]:
    """Return what to say of dates: ``undated`` are packages locked from files without one."""
    said = []
    if undated:
        said.append(
            f"no upload date is known of {', '.join(undated)}: the cut-off could not be held "
            "against it"
        )
    said += [
        f"{name} {version} was not considered, since its index does not say when it was uploaded; "
        f"write {name}=={version} to have it"
        for name, version in sorted(_passed_over(stderr, locked, undated).items())
        if not _is_dated(name, version, index)
    ]
    return said


def _passed_over(
    stderr: str, locked: Sequence[PipPackage], undated: Sequence[str]
) -> dict[str, Version]:
    """Return versions newer than the locked ones that uv left out for want of a date."""
    chosen = {package.name: package.version for package in locked}
    found: dict[str, Version] = {}
    for name, version, _ in _wheels(skipped_files(stderr)):
        if name in chosen and name not in undated and version > Version(chosen[name]):
            found[name] = max(version, found.get(name, version))
    return found


def _is_dated(name: str, version: Version, index: PythonIndex) -> bool:
    """Say whether some index knows when a version was uploaded: then its date decided."""
    found = releases(index, name)
    return any(item.version == version and item.dated for item in found)


def said_by_uv(stderr: str) -> list[str]:
    """Return uv's own warnings that concern the user's packages."""
    return [
        redact(match["text"].replace("`", ""))
        for match in _SAID.finditer(stderr)
        if not any(word in match["text"] for word in _OWN_AFFAIRS)
    ]


def _wheels(files: Sequence[str]) -> Iterator[tuple[str, Version, str]]:
    for file in files:
        try:
            name, version, _, _ = parse_wheel_filename(file)
        except InvalidWheelFilename:
            continue
        yield str(name), version, file

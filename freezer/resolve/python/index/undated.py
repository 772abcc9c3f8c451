"""Files without an upload date, and warnings about them.

A cut-off needs upload dates, which many indexes do not have: a folder of wheels, PyTorch's own
index, most company mirrors.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.version import Version

from freezer.fetch.http.redact import redact
from freezer.fetch.python.filenames import name_and_version
from freezer.resolve.python.index.releases import fitting, releases

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from freezer.fetch.python.index import PythonIndex
    from freezer.model.lock import PipPackage
    from freezer.resolve.python.interface import PipRequest

_SKIPPED = re.compile(r"^warning: `(?P<file>[^`]+)` is missing an upload date", re.MULTILINE)
_RELEVANT = re.compile(r"^warning: (?P<text>.+)$", re.MULTILINE)
_OWN_AFFAIRS = ("is missing an upload date", "experimental", "requested Python version")


def skipped_files(stderr: str) -> tuple[str, ...]:
    """Return the files that uv skipped because they have no date."""
    return tuple(dict.fromkeys(match["file"] for match in _SKIPPED.finditer(stderr)))


def exact_versions(request: PipRequest) -> dict[str, Version]:
    """Return the pinned versions by normalised name."""
    return {
        one.name: Version(specifier.version)
        for one in (*request.requirements, *request.constraints)
        for specifier in one.requirement.specifier
        if specifier.operator == "==" and not specifier.version.endswith(".*")
    }


def undated_that_count(
    names: Iterable[str], request: PipRequest, index: PythonIndex
) -> frozenset[str]:
    """Return those packages whose undated files may be considered for a request.

    For a pinned package only when no wheel of that version has a date.
    """
    exact = exact_versions(request)

    def settled(name: str) -> bool:
        found = fitting(releases(index, name, request.cut_off(name)), request.target)
        return any(item.uploaded and item.version == exact[name] for item in found)

    return frozenset(
        name for name in names if (not settled(name) if name in exact else request.undated)
    )


def undated_warnings(
    skipped: Sequence[str], locked: Sequence[PipPackage], undated: Sequence[str], index: PythonIndex
) -> list[str]:
    """Return warnings about files without a date.

    ``skipped`` are files excluded for that reason, ``undated`` the locked packages without a date,
    sorted.
    """
    warnings = []
    if undated:
        warnings.append(
            f"{', '.join(undated)}: no upload date is known, so the cut-off could not be checked"
        )
    warnings += [
        f"{name} {version} was not considered, since its index does not say when it was uploaded; "
        f"write {name}=={version} to have it"
        for name, version in sorted(_passed_over(skipped, locked, undated).items())
        if not _is_dated(name, version, index)
    ]
    return warnings


def _passed_over(
    skipped: Sequence[str], locked: Sequence[PipPackage], undated: Sequence[str]
) -> dict[str, Version]:
    """Return versions newer than the locked ones that were excluded for lack of a date."""
    chosen = {package.name: package.version for package in locked}
    found: dict[str, Version] = {}
    for name, version in _named(skipped):
        if name in chosen and name not in undated and version > Version(chosen[name]):
            found[name] = max(version, found.get(name, version))
    return found


def _is_dated(name: str, version: Version, index: PythonIndex) -> bool:
    """Return whether any index has the upload date of a version."""
    found = releases(index, name)
    return any(item.version == version and item.uploaded for item in found)


def uv_warnings(stderr: str) -> list[str]:
    """Return uv's own warnings that concern the user's packages."""
    return [
        redact(match["text"].replace("`", ""))
        for match in _RELEVANT.finditer(stderr)
        if not any(word in match["text"] for word in _OWN_AFFAIRS)
    ]


def _named(files: Sequence[str]) -> Iterator[tuple[str, Version]]:
    found = (name_and_version(file) for file in files)
    return (item for item in found if item is not None)

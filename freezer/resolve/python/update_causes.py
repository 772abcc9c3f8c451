"""Why a Python package changed with another one, or could not be updated."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from freezer.errors import FreezerError
from freezer.resolve.python.index.releases import fitting, releases
from freezer.resolve.python.markers import marker_holds
from freezer.resolve.python.tags import marker_environment

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from freezer.fetch.python.index import PythonIndex
    from freezer.model.lock import PipPackage
    from freezer.resolve.python.index.releases import Release
    from freezer.resolve.python.interface import PipRequest


def why_changed(
    old: Sequence[PipPackage],
    new: Sequence[PipPackage],
    request: PipRequest,
    named: Collection[str] = (),
) -> dict[str, str]:
    """Return by name why packages changed, where known: ``scipy 1.16 wants numpy>=2``.

    Those that are ``named`` by the update need no cause. Reads the metadata of the changed packages
    where one that is not named has another version; metadata that is not available is skipped.
    """
    before, after = _table(old), _table(new)
    changed = [n for n in sorted(before | after) if _version(before, n) != _version(after, n)]
    forced = [name for name in changed if name not in named]
    moved = [before[name] for name in forced if name in before and name in after]
    arrived = [after[name] for name in changed if name in after] if moved else []
    needs, own = _needs(arrived, request), _needs(moved, request)
    found: dict[str, str] = {}
    for name in forced:
        if name not in after:
            found[name] = "nothing needs it any more"
        elif name not in before:
            by = [item for item in new if name in item.requires]
            found[name] = f"needed by {', '.join(map(_named, by))}" if by else "asked for"
        elif cause := _refused(before[name].version, name, needs, after) or _refusing(
            name, own, before, after
        ):
            found[name] = cause
    return found


def why_not_newer(
    package: PipPackage, locked: Sequence[PipPackage], request: PipRequest
) -> tuple[str | None, str]:
    """Return the newest version of a package for the target, and what prevents it.

    The version is None when the package is the newest one.
    """
    index, cut_off = request.index, request.cut_off(package.name)
    newest = newer_release(index, request, package.name, package.version, cut_off)
    if newest is None:
        later = newer_release(index, request, package.name, package.version)
        more = f"; {later.version} came on {(later.uploaded or '?')[:10]}" if later else ""
        return None, f"it is the newest as of {cut_off}{more}"
    version = str(newest.version)
    for limit in (*request.requirements, *request.constraints):
        wanted = limit.requirement.specifier
        mine = limit.name == package.name and limit.applies(request.target)
        if mine and not wanted.contains(newest.version, prereleases=True):
            return version, f"{limit.where} requires {limit.requirement}"
    parents = [item for item in locked if package.name in item.requires]
    needs = _needs(parents, request)
    cause = _refused(version, package.name, needs, _table(locked))
    return version, cause or "it conflicts with other packages"


def newer_release(
    index: PythonIndex, request: PipRequest, name: str, version: str, as_of: str | None = None
) -> Release | None:
    """Return the newest release of a package for the target, if newer than a version.

    No pre-release, unless the version is one.
    """
    current = Version(version)
    newer = (
        item
        for item in reversed(releases(index, name, as_of))
        if item.version > current and (current.is_prerelease or not item.version.is_prerelease)
    )
    return next((item for item in newer if fitting([item], request.target)), None)


def _refused(
    version: str,
    name: str,
    needs: Mapping[str, list[Requirement]],
    locked: Mapping[str, PipPackage],
) -> str | None:
    """Return the packages whose requirements exclude a version of another one."""
    refusals = [
        f"{_named(locked[by])} wants {name}{item.specifier}"
        for by, wanted in needs.items()
        for item in wanted
        if canonicalize_name(item.name) == name
        and not item.specifier.contains(version, prereleases=True)
    ]
    return ", ".join(refusals) or None


def _refusing(
    name: str,
    needs: Mapping[str, list[Requirement]],
    before: Mapping[str, PipPackage],
    after: Mapping[str, PipPackage],
) -> str | None:
    """Return the packages whose requirements excluded a changed package's old version."""
    refusals = [
        f"{_named(before[name])} wants {other}{item.specifier}"
        for item in needs.get(name, ())
        for other in [canonicalize_name(item.name)]
        if other in after and not item.specifier.contains(after[other].version, prereleases=True)
    ]
    return ", ".join(refusals) or None


def _needs(packages: Sequence[PipPackage], request: PipRequest) -> dict[str, list[Requirement]]:
    if not packages:
        return {}
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(max_workers=8) as pool:
        read = pool.map(lambda item: _requirements(item, request), packages)
        return {item.name: found for item, found in zip(packages, read, strict=True)}


def _requirements(package: PipPackage, request: PipRequest) -> list[Requirement]:
    """Return a wheel's requirements on the target; empty when not available."""
    from email.parser import BytesParser

    from freezer.resolve.python.index.local_server import metadata_of

    try:
        index, name = request.index, package.name
        listed = chain(index.linked(name), index.files(name))
        file = next(
            file
            for file in listed
            if file.name == package.file and file.sha256 in (None, package.sha256)
        )
        metadata = metadata_of(file)
        found = BytesParser().parsebytes(metadata).get_all("Requires-Dist", [])
        wanted = [Requirement(text) for text in found]
    except (FreezerError, InvalidRequirement, StopIteration):
        return []
    target = marker_environment(request.target)
    return [
        item
        for item in wanted
        if canonicalize_name(item.name) in package.requires
        and (item.marker is None or marker_holds(item.marker, target))
    ]


def _table(packages: Iterable[PipPackage]) -> dict[str, PipPackage]:
    return {item.name: item for item in packages}


def _version(packages: Mapping[str, PipPackage], name: str) -> str | None:
    return packages[name].version if name in packages else None


def _named(package: PipPackage) -> str:
    return f"{package.name} {package.version}"

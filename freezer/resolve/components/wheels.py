"""BLAS, LAPACK, OpenMP and compilers that wheels bring along, by name and version.

Wheels are looked into without being downloaded: their lists of members, and the few members that
tell a version, are read in parts. Parts are not compared with the wheel's hash, so this informs and
decides nothing; where the store has the wheel, its verified bytes are read instead, by the same
rules. Source distributions are not looked into: what they bring is known only once they are built.
"""

from __future__ import annotations

import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from io import BufferedReader
from typing import IO, TYPE_CHECKING

from freezer.errors import FetchError, IntegrityError
from freezer.fetch.http.client import NotFoundError, RangeUnsupportedError
from freezer.fetch.http.remote_zip import RangeFile
from freezer.fetch.http.zip_errors import zip_errors
from freezer.fetch.store.download import fetch_one
from freezer.fetch.store.interface import Location
from freezer.model.events import SilentTask
from freezer.model.lock import Component
from freezer.resolve.components.bundled import (
    Found,
    Library,
    by_config,
    by_package,
    libraries,
    version_in,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from freezer.fetch.python.index import PythonIndex
    from freezer.fetch.store.store import Store
    from freezer.model.events import Reporter
    from freezer.model.lock import PipPackage, Target

_MEMO = "wheel-components-3"
_CHEAP = 40 << 20
"""Bytes: larger libraries are named, but not read for their version."""
_SOURCE = 1 << 20
"""Bytes of a ``__config__.py``, at most."""
_UNKNOWN = "unknown"


def wheel_components(
    packages: Sequence[PipPackage],
    *,
    target: Target,
    index: PythonIndex,
    store: Store,
    report: Reporter,
) -> tuple[Component, ...]:
    """Return what the wheels bring, sorted by role and provider; memoised by the wheels' hashes.

    Raises ``FetchError`` when a wheel is out of reach, ``IntegrityError`` when it is no archive.
    """
    del target  # a locked wheel is for one target already
    wanted = [item for item in packages if item.file.endswith(".whl")]
    with ThreadPoolExecutor(max_workers=8) as pool:
        found = pool.map(lambda item: _of_wheel(item, index, store, report), wanted)
        components = {
            Component(**asdict(part), provider=f"pip:{item.name}")
            for item, parts in zip(wanted, found, strict=True)
            for part in parts
        }
    return tuple(sorted(components, key=lambda c: (c.role, c.provider, c.name, c.file or "")))


def _of_wheel(
    package: PipPackage, index: PythonIndex, store: Store, report: Reporter
) -> list[Found]:
    if (known := by_package(package.name, package.version)) is not None:
        return known
    if package.file.endswith("-none-any.whl"):
        return []
    memo = store.get_memo(_MEMO, package.sha256, list[Found])
    if memo is not None:
        return memo
    report.debug(f"looking into {package.file}")
    found = _look(package, index, store)
    store.put_memo(_MEMO, package.sha256, [asdict(part) for part in found])
    return found


def inspect(archive: zipfile.ZipFile) -> list[Found]:
    """Return what an open wheel brings."""
    infos = {info.filename: info for info in archive.infolist()}
    told: list[Found] = []
    for member in sorted(infos):
        known = member.count("/") == 1 and member.endswith("/__config__.py")
        if known and infos[member].file_size < _SOURCE:
            told += by_config(archive.read(member).decode("utf-8", "replace"))
    found = list(told)
    for library in libraries(sorted(infos)):
        version = _version(library, told, archive, infos[library.member])
        for role in library.roles:
            found = [old for old in found if not _same_without_file(old, role, library)]
            found.append(Found(role, library.name, version, library.file))
    return found


def _same_without_file(old: Found, role: str, library: Library) -> bool:
    return old.file is None and (old.role, old.name) == (role, library.name)


def _version(
    library: Library, told: Iterable[Found], archive: zipfile.ZipFile, info: zipfile.ZipInfo
) -> str:
    """Return a library's version: from its name, else its wheel's configuration, else itself."""
    if library.version:
        return library.version
    for part in told:
        if part.name == library.name:
            return part.version
    if info.file_size > _CHEAP:
        return _UNKNOWN
    return version_in(archive.read(info), library.pattern) or _UNKNOWN


def _look(package: PipPackage, index: PythonIndex, store: Store) -> list[Found]:
    """Read the store's wheel, else parts of the index's, else (it serves no parts) fetch it."""
    if not store.has(package.sha256):
        try:
            return _remote(package, index)
        except RangeUnsupportedError:
            fetch_one(package, store=store, sources=[index], task=SilentTask())
    with store.verified(package.sha256).open("rb") as stream:
        return _read(package, stream)


def _remote(package: PipPackage, index: PythonIndex) -> list[Found]:
    failure: FetchError | None = None
    for location in _locations(package, index):
        try:
            with BufferedReader(RangeFile(location.url, package.size)) as stream:
                return _read(package, stream)
        except NotFoundError as error:
            failure = error
    raise failure or FetchError(f"no source has {package.file}")


def _locations(package: PipPackage, index: PythonIndex) -> Iterable[Location]:
    if package.source == "url" and package.url:
        return [Location(package.url)]
    return index.locate(package)


def _read(package: PipPackage, stream: IO[bytes]) -> list[Found]:
    def refused(why: str) -> IntegrityError:
        return IntegrityError(
            f"{package.file} is not a wheel that can be read",
            found=why,
            hint="the index serves a spoiled file; use another index, or another version",
        )

    with zip_errors(refused), zipfile.ZipFile(stream) as archive:
        return inspect(archive)

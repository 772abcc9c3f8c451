"""BLAS, LAPACK, OpenMP and compilers that wheels bundle, by name and version.

Wheels are inspected without a full download: the list of members and the few members that contain a
version are read by HTTP ranges. Ranges cannot be verified against the wheel's hash, so the result
informs and decides nothing; a wheel in the store is read from its verified bytes instead. Source
distributions are skipped: their libraries are known only after the build.
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
"""Maximum bytes of a library that is read for its version; larger ones have none."""
_SOURCE = 1 << 20
"""Maximum bytes of a ``__config__.py``."""
_UNKNOWN = "unknown"


def wheel_components(
    packages: Sequence[PipPackage],
    *,
    target: Target,
    index: PythonIndex,
    store: Store,
    report: Reporter,
) -> tuple[Component, ...]:
    """Return the components of wheels, sorted by role and provider; memoised by wheel hash.

    Raises ``FetchError`` when a wheel is not available, ``IntegrityError`` when it is no archive.
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
    report.debug(f"inspecting {package.file}")
    found = _inspect_wheel(package, index, store)
    store.put_memo(_MEMO, package.sha256, [asdict(part) for part in found])
    return found


def inspect(archive: zipfile.ZipFile) -> list[Found]:
    """Return the components of an open wheel."""
    infos = {info.filename: info for info in archive.infolist()}
    configured: list[Found] = []
    for member in sorted(infos):
        known = member.count("/") == 1 and member.endswith("/__config__.py")
        if known and infos[member].file_size < _SOURCE:
            configured += by_config(archive.read(member).decode("utf-8", "replace"))
    found = list(configured)
    for library in libraries(sorted(infos)):
        version = _version(library, configured, archive, infos[library.member])
        for role in library.roles:
            found = [old for old in found if not _same_without_file(old, role, library)]
            found.append(Found(role, library.name, version, library.file))
    return found


def _same_without_file(old: Found, role: str, library: Library) -> bool:
    return old.file is None and (old.role, old.name) == (role, library.name)


def _version(
    library: Library, configured: Iterable[Found], archive: zipfile.ZipFile, info: zipfile.ZipInfo
) -> str:
    """Return a library's version: from its name, the wheel's configuration, or its bytes."""
    if library.version:
        return library.version
    for part in configured:
        if part.name == library.name:
            return part.version
    if info.file_size > _CHEAP:
        return _UNKNOWN
    return version_in(archive.read(info), library.pattern) or _UNKNOWN


def _inspect_wheel(package: PipPackage, index: PythonIndex, store: Store) -> list[Found]:
    """Read the store's wheel, else ranges of the index's; fetch it where ranges fail."""
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
            f"{package.file} is not a readable wheel",
            found=why,
            hint="the index serves a corrupt file; use another index, or another version",
        )

    with zip_errors(refused), zipfile.ZipFile(stream) as archive:
        return inspect(archive)

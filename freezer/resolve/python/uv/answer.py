"""Parses uv's output, a ``pylock.toml`` document (PEP 751)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.pylock import Pylock, PylockUnsupportedVersionError, PylockValidationError

from freezer.errors import ResolveError
from freezer.fetch.http.redact import redact
from freezer.fetch.http.url import file_name_of
from freezer.model.parsing import TomlError, parse_toml
from freezer.resolve.python.pins import Candidate, Pin

if TYPE_CHECKING:
    from packaging.pylock import Package, PackageArchive, PackageSdist, PackageWheel

_NO_HASHES = {"unknown": ""}
"""Placeholder for an empty table: see `_adapt`."""


def parse_pylock(text: str) -> tuple[Pin, ...]:
    """Return the pins of a PEP 751 document. Raises ``ResolveError`` when it is none."""
    try:
        document = parse_toml(text)
        old_sdists = _adapt(document)
        packages = Pylock.from_dict(document).packages
        return tuple(_pin(package, old_sdists.get(package.name)) for package in packages)
    except (
        TomlError,
        PylockValidationError,
        PylockUnsupportedVersionError,
        _NoAddressError,
    ) as error:
        raise ResolveError(
            "the output of uv has an unknown form",
            found=redact(str(error)),
            hint="install the version of uv that Freezer was released with",
        ) from error


class _NoAddressError(Exception):
    """A file in uv's output has a path instead of a URL."""


def _adapt(document: dict[str, Any]) -> dict[str, str]:
    """Convert what uv writes beyond PEP 751 so that `packaging` accepts it.

    uv writes ``hashes = {}`` for a file of an index that lists none: such files get a placeholder,
    and Freezer hashes them when it fetches them. And uv accepts old formats of source distributions
    (``.tar.bz2``): these get a standard name, and their own is returned by package.
    """
    old_sdists = {}
    packages = document.get("packages")
    for package in packages if isinstance(packages, list) else ():
        if not isinstance(package, dict):
            continue
        wheels, sdist = package.get("wheels"), package.get("sdist")
        files = [*(wheels if isinstance(wheels, list) else ()), sdist, package.get("archive")]
        for file in files:
            if isinstance(file, dict) and not file.get("hashes"):
                file["hashes"] = _NO_HASHES
        if isinstance(sdist, dict):
            name = str(sdist.get("name") or _file_of(str(sdist.get("url", ""))))
            if not name.endswith((".tar.gz", ".zip")):
                old_sdists[str(package.get("name"))] = name
                sdist["name"] = f"{package.get('name')}-{package.get('version')}.tar.gz"
    return old_sdists


def _pin(package: Package, old_sdist: str | None) -> Pin:
    sdist, archive = package.sdist, package.archive
    return Pin(
        name=package.name,
        # The version of a URL requirement may be known only after its build.
        version=str(package.version or ""),
        wheels=tuple(_candidate(wheel.filename, wheel) for wheel in package.wheels or ()),
        sdist=_candidate(old_sdist or sdist.filename, sdist) if sdist else None,
        direct=_candidate(_file_of(archive.url or ""), archive) if archive else None,
    )


def _file_of(url: str) -> str:
    return file_name_of(url)


def _candidate(name: str, file: PackageWheel | PackageSdist | PackageArchive) -> Candidate:
    if file.url is None:
        raise _NoAddressError(name)
    dated = file.upload_time is not None
    return Candidate(name, file.url, file.hashes.get("sha256"), file.size, dated)

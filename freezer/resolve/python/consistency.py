"""Consistency of a lock's Python packages, by the metadata in the wheels."""

from __future__ import annotations

import zipfile
from email.parser import BytesParser
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from freezer.errors import FreezerError, IntegrityError
from freezer.fetch.http.zip_errors import zip_errors
from freezer.resolve.python.markers import marker_holds
from freezer.resolve.python.tags import marker_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freezer.fetch.store.store import Store
    from freezer.model.lock import Lock, PipPackage


LARGEST = 16 << 20
"""Maximum bytes of a METADATA file."""


def unmet(lock: Lock, store: Store) -> str | None:
    """Return an unmet requirement among a lock's wheels; None when all are met.

    Wheels that are not in the store are skipped: ``pip check`` in the image covers all.
    """
    return next((text for package in lock.pip for text in _unmet(package, lock, store)), None)


def contradictions(lock: Lock, store: Store) -> Iterator[tuple[PipPackage, str]]:
    """Yield packages of which a lock says something else than their wheels, and what.

    A lock lacks what a wheel requires, or says that it requires what it does not. Wheels that are
    not in the store are skipped.
    """
    for package in lock.pip:
        for text in _unmet(package, lock, store):
            yield package, text
        if (needs := _requirements(package, store)) is None:
            continue
        listed = {canonicalize_name(item.name) for item in needs}
        for name in sorted(set(package.requires) - listed - {package.name, *lock.overrides}):
            yield (
                package,
                f"{package.name} {package.version} does not need {name}, which the lock lists",
            )


def other_pythons(lock: Lock, store: Store) -> Iterator[str]:
    """Yield as text the wheels that are declared for other versions of Python than the target's.

    uv follows lower bounds of ``Requires-Python`` alone, as upper ones are often wrong; pip refuses
    to install such a wheel by itself.
    """
    python = lock.target.python.version
    for package in lock.pip:
        data = wheel_metadata(package, store)
        text = BytesParser().parsebytes(data).get("Requires-Python") if data else None
        try:
            fits = SpecifierSet(str(text or "")).contains(python, prereleases=True)
        except InvalidSpecifier:
            continue
        if not fits:
            yield (
                f"{package.name} {package.version} is declared for Python {text} alone, and the "
                f"target has {python}; check that it works there"
            )


def _unmet(package: PipPackage, lock: Lock, store: Store) -> Iterator[str]:
    """Yield what a wheel requires on the lock's target and the lock does not have."""
    versions = {item.name: item.version for item in lock.pip}
    target = marker_environment(lock.target)
    shown = f"{package.name} {package.version}"
    for item in _requirements(package, store) or ():
        name = canonicalize_name(item.name)
        applies = item.marker is None or marker_holds(item.marker, target)
        if name in lock.overrides or name == package.name or not applies:
            continue
        found = versions.get(name)
        if found is None:
            if not lock.conda:  # which may provide it
                yield f"{shown} needs {name}, which is missing"
        elif not item.specifier.contains(found, prereleases=True):
            yield f"{shown} wants {name}{item.specifier}, and {found} is locked"


def _requirements(package: PipPackage, store: Store) -> list[Requirement] | None:
    """Return what a wheel requires; None where it is not in the store or cannot be read."""
    data = wheel_metadata(package, store)
    if data is None:
        return None
    try:
        return [Requirement(t) for t in BytesParser().parsebytes(data).get_all("Requires-Dist", [])]
    except InvalidRequirement:
        return None


def wheel_metadata(package: PipPackage, store: Store) -> bytes | None:
    """Return the ``METADATA`` of a wheel in the store; None when missing or unreadable."""
    if not package.file.endswith(".whl") or not store.has(package.sha256):
        return None
    try:
        with zip_errors(IntegrityError), zipfile.ZipFile(store.verified(package.sha256)) as wheel:
            for info in wheel.infolist():
                folder, _, file = info.filename.partition("/")
                if folder.endswith(".dist-info") and file == "METADATA":
                    return wheel.read(info) if info.file_size <= LARGEST else None
    except FreezerError:
        return None
    return None

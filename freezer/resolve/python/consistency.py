"""Whether the Python packages of a lock fit together, told from the wheels alone."""

from __future__ import annotations

import zipfile
from email.parser import BytesParser
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from freezer.errors import FreezerError, IntegrityError
from freezer.fetch.http.zip_errors import zip_errors
from freezer.resolve.python.tags import marker_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freezer.fetch.store.store import Store
    from freezer.model.lock import Lock, PipPackage

_METADATA = 16 << 20
"""Bytes."""


def unmet(lock: Lock, store: Store) -> str | None:
    """Return a requirement among a lock's wheels that is not met; None where all are.

    Wheels that the store lacks are taken as they are: ``pip check`` in the image looks at all.
    """
    versions = {item.name: item.version for item in lock.pip}
    target = marker_environment(lock.target)
    for package in lock.pip:
        for item in _requirements(package, store):
            name = canonicalize_name(item.name)
            if name in lock.overrides:
                continue
            if item.marker is not None and not item.marker.evaluate(target):
                continue
            found = versions.get(name)
            if found is None:
                if lock.conda:  # which may bring it
                    continue
                return f"{package.name} {package.version} needs {name}, which is not there"
            if not item.specifier.contains(found, prereleases=True):
                return f"{package.name} {package.version} wants {name}{item.specifier}"
    return None


def _requirements(package: PipPackage, store: Store) -> Iterator[Requirement]:
    if not package.file.endswith(".whl") or not store.has(package.sha256):
        return
    try:
        with zip_errors(IntegrityError), zipfile.ZipFile(store.verified(package.sha256)) as wheel:
            member = next(
                info
                for info in wheel.infolist()
                if info.filename.count("/") == 1
                and info.filename.endswith(".dist-info/METADATA")
                and info.file_size <= _METADATA
            )
            listed = BytesParser().parsebytes(wheel.read(member)).get_all("Requires-Dist", [])
        yield from [Requirement(text) for text in listed]
    except (StopIteration, InvalidRequirement, FreezerError):
        return

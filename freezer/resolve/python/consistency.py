"""Consistency of a lock's Python packages, by the metadata in the wheels."""

from __future__ import annotations

from email.parser import BytesParser
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from freezer.resolve.python.markers import marker_holds
from freezer.resolve.python.tags import marker_environment
from freezer.resolve.python.true_metadata import wheel_metadata

if TYPE_CHECKING:
    from freezer.fetch.store.store import Store
    from freezer.model.lock import Lock, PipPackage


def unmet(lock: Lock, store: Store) -> str | None:
    """Return an unmet requirement among a lock's wheels; None when all are met.

    Wheels that are not in the store are skipped: ``pip check`` in the image covers all.
    """
    versions = {item.name: item.version for item in lock.pip}
    target = marker_environment(lock.target)
    for package in lock.pip:
        for item in _requirements(package, store):
            name = canonicalize_name(item.name)
            if name in lock.overrides:
                continue
            if item.marker is not None and not marker_holds(item.marker, target):
                continue
            found = versions.get(name)
            if found is None:
                if lock.conda:  # which may provide it
                    continue
                return f"{package.name} {package.version} needs {name}, which is missing"
            if not item.specifier.contains(found, prereleases=True):
                return f"{package.name} {package.version} wants {name}{item.specifier}"
    return None


def _requirements(package: PipPackage, store: Store) -> list[Requirement]:
    data = wheel_metadata(package, store)
    if data is None:
        return []
    try:
        return [Requirement(t) for t in BytesParser().parsebytes(data).get_all("Requires-Dist", [])]
    except InvalidRequirement:
        return []

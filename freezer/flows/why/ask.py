"""What an index has of a locked Python package: which version it would get if it were released."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from freezer.fetch.python.index import PythonIndex
    from freezer.flows.project.project import Project
    from freezer.flows.why.constraints import Hold
    from freezer.model.lock import Lock, PipPackage
    from freezer.resolve.python.index.releases import Release


@dataclass(frozen=True)
class Offer:
    """What an index has of a Python package, up to the lock's cut-off."""

    newest: str | None
    """The newest version with a wheel for the target; None when the index has none, or was out of
    reach."""
    fitting: str | None
    """The newest of those that every known range takes."""
    summary: str
    """What follows from it, in a sentence."""


def offer(project: Project, lock: Lock, package: PipPackage, held: Sequence[Hold]) -> Offer:
    """Return what the indexes have of a package up to the lock's cut-off, held to known ranges."""
    from freezer.resolve.python.index.releases import fitting, releases

    if package.url is not None:
        return Offer(None, None, "it is locked from its own address, not from an index")
    newer = lock.exceptions.get(package.name)
    as_of = newer.as_of if newer else lock.as_of
    found = fitting(releases(_index(project, lock), package.name, as_of), lock.target)
    offered = _stable(found, package)
    if not offered:
        return Offer(None, None, f"no index in reach has a wheel of it for {lock.platform}")
    ranges = [(one, text) for one in held for text in [_range(one)] if text]
    taken = _taken(offered, [text for _, text in ranges])
    newest, best = offered[-1], taken[-1] if taken else None
    return Offer(
        str(newest.version),
        str(best.version) if best else None,
        _summary(lock, package, newest, best, _refusing(newest, ranges)) + _unknown(held),
    )


def _index(project: Project, lock: Lock) -> PythonIndex:
    from freezer.fetch.python.index import PythonIndex
    from freezer.flows.lock.sources import requirements_if_any

    options = requirements_if_any(project, lock.name).pip.options
    return PythonIndex.from_config(project.config, options)


def _stable(found: Iterable[Release], package: PipPackage) -> list[Release]:
    from packaging.version import Version

    allowed = Version(package.version).is_prerelease
    return [one for one in found if allowed or not one.version.is_prerelease]


def _range(one: Hold) -> str | None:
    """Return the specifier of what holds a package; None for what has none, or is not known."""
    if one.wanted is None or one.kind not in ("spec", "constraint", "parent"):
        return None
    if one.kind == "parent":
        return one.wanted.partition(" (extra")[0] or None
    from packaging.requirements import Requirement

    return str(Requirement(one.wanted).specifier) or None


def _taken(offered: Sequence[Release], ranges: Iterable[str]) -> list[Release]:
    from freezer.resolve.python.index.releases import within

    taken = list(offered)
    for text in ranges:
        taken = within(taken, text)
    return taken


def _refusing(newest: Release, ranges: Iterable[tuple[Hold, str]]) -> list[str]:
    return [f"{one.by} ({text})" for one, text in ranges if not _taken([newest], [text])]


def _summary(
    lock: Lock, package: PipPackage, newest: Release, best: Release | None, refusing: Sequence[str]
) -> str:
    from packaging.version import Version

    current = Version(package.version)
    kept = f"; {newest.version} is not taken by {', '.join(refusing)}" if refusing else ""
    if best is not None and best.version > current:
        undated = "" if best.uploaded else ", whose date no index states,"
        return (
            f"{best.version}{undated} is the newest within the known ranges{kept}; "
            f"`freeze update {lock.name} {package.name}` moves it as far as the rest allows"
        )
    if newest.version > current:
        return f"{package.version} is the newest within the known ranges{kept}"
    return f"{package.version} is the newest one up to the cut-off"


def _unknown(held: Iterable[Hold]) -> str:
    unknown = [one.by for one in held if one.kind == "parent" and one.wanted is None]
    return f" (not known: the ranges of {', '.join(unknown)})" if unknown else ""

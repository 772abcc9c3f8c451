"""Updates of Python packages: the named ones change, and as few others as possible.

The resolver runs many times in one session with different preferences and constraints;
`freezer.resolve.minimal` selects them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.version import Version

from freezer.errors import ResolveError, Where
from freezer.fetch.python.index import PythonIndex
from freezer.model.events import PartOf
from freezer.resolve.minimal import minimal_update
from freezer.resolve.python.interface import PipRequirement
from freezer.resolve.python.resolve import open_query
from freezer.resolve.python.update_causes import newer_release, why_changed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freezer.fetch.store.store import Store
    from freezer.model.events import Reporter
    from freezer.model.lock import PipPackage
    from freezer.resolve.minimal import Release
    from freezer.resolve.python.interface import PipRequest, Resolution

_UPDATE = Where("freeze update")


def update_pip(
    request: PipRequest,
    resolver: str,
    release: Release,
    locked: Sequence[PipPackage],
    *,
    store: Store,
    report: Reporter,
) -> Resolution:
    """Return the packages after an update, and why those changed that it does not name.

    ``locked`` are the packages before it. Raises as `freezer.resolve.python.resolve.resolve_pip`.
    """
    old = {item.name: item.version for item in locked}
    kept = {name: version for name, version in old.items() if name not in release.names}
    stable = not any(Version(text).is_prerelease for text in old.values())
    index = PythonIndex(request.indexes)
    with (
        report.task("Searching for the smallest change of Python packages"),
        open_query(request, resolver, store=store, report=PartOf(report)) as query,
    ):

        def solve(
            *,
            held: frozenset[str],
            pins: Mapping[str, str],
            floors: Mapping[str, str],
            above: tuple[str, str] | None = None,
        ) -> dict[str, str]:
            exact = {**{name: old[name] for name in held}, **pins}
            more = [_exactly(*item) for item in sorted(exact.items())]
            more += [_at_least(n, v) for n, v in floors.items() if n not in exact]
            if above is not None:
                _require_newer(index, request, *above)
                more.append(_above(*above))
            # Undated files are considered only without another solution: neither to reach a higher
            # version, nor to change fewer packages.
            undated = not held and above is None
            return query.versions(kept, more, stable=stable, undated=undated)

        needs = {item.name: item.requires for item in locked}
        found = minimal_update(release, old, needs, solve, lambda versions: versions)
        versions = {name: version for name, version in found.answer.items() if version}
        resolution = query.packages(versions, [_exactly(*item) for item in versions.items()])
    causes = {**found.refusals, **why_changed(locked, resolution.packages, request)}
    return replace(resolution, causes=causes, alone=found.alone)


def _require_newer(index: PythonIndex, request: PipRequest, name: str, version: str) -> None:
    """Raise ``ResolveError`` when no index lists anything newer; saves a resolver run."""
    if newer_release(index, request, name, version, request.cut_off(name)) is None:
        raise ResolveError(f"nothing is newer than {name} {version}")


def _exactly(name: str, version: str) -> PipRequirement:
    return PipRequirement(Requirement(f"{name}=={version}"), _UPDATE)


def _at_least(name: str, version: str) -> PipRequirement:
    return PipRequirement(Requirement(f"{name}>={Version(version).public}"), _UPDATE)


def _above(name: str, version: str) -> PipRequirement:
    # `>1.0` would exclude 1.0.post1 (PEP 440), and a range may not name a local version.
    public = Version(version).public
    return PipRequirement(Requirement(f"{name}>={public},!={public}"), _UPDATE)

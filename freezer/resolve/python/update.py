"""Updates of Python packages: the named ones change, and as few others as possible.

The resolver runs many times in one session with different preferences and constraints;
`freezer.resolve.minimal` selects them.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from threading import Thread
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.version import Version

from freezer.errors import FetchError, ResolveError, Where
from freezer.model.events import PartOf
from freezer.resolve.minimal import UnexplainedError, minimal_update
from freezer.resolve.python.interface import PipRequirement
from freezer.resolve.python.resolve import open_query
from freezer.resolve.python.update_causes import newer_release, why_changed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freezer.fetch.python.index import PythonIndex
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
    _read_ahead(request.index, sorted(release.names - release.pins.keys()))
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
                _require_newer(request, *above)
                more.append(_above(*above))
            # Undated files are considered only without another solution: neither to reach a higher
            # version, nor to change fewer packages.
            undated = not held and above is None
            return query.versions(kept, more, stable=stable, undated=undated)

        needs = {item.name: item.requires for item in locked}
        try:
            found = minimal_update(release, old, needs, solve, lambda versions: versions)
        except UnexplainedError as error:
            raise error.explained() from error
        versions = {name: version for name, version in found.answer.items() if version}
        resolution = query.packages(versions, [_exactly(*item) for item in versions.items()])
    causes = why_changed(locked, resolution.packages, request, release.names)
    others = {name: error for name, error in found.errors.items() if name not in causes}
    more = replace(found, errors=others).refusals
    return replace(resolution, causes={**causes, **more}, alone=found.alone)


def _read_ahead(index: PythonIndex, names: Sequence[str]) -> None:
    """Read the pages of packages, and load what reads them, in a thread while the resolver runs.

    Whoever asks for a page meanwhile waits for it; its error is raised there.
    """

    def read() -> None:
        for name in names:
            with suppress(FetchError):
                list(index.files(name))

    Thread(target=read, daemon=True).start()


def _require_newer(request: PipRequest, name: str, version: str) -> None:
    """Raise ``ResolveError`` when no index lists anything newer; saves a resolver run."""
    if newer_release(request.index, request, name, version, request.cut_off(name)) is None:
        raise ResolveError(f"nothing is newer than {name} {version}")


def _exactly(name: str, version: str) -> PipRequirement:
    return PipRequirement(Requirement(f"{name}=={version}"), _UPDATE)


def _at_least(name: str, version: str) -> PipRequirement:
    return PipRequirement(Requirement(f"{name}>={Version(version).public}"), _UPDATE)


def _above(name: str, version: str) -> PipRequirement:
    # `>1.0` would exclude 1.0.post1 (PEP 440), and a range may not name a local version.
    public = Version(version).public
    return PipRequirement(Requirement(f"{name}>={public},!={public}"), _UPDATE)

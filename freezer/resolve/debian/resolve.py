"""Resolves Debian packages: apt in the base selects them, verified indices pin them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from debian.debian_support import Version

from freezer.errors import EngineError, IntegrityError, ResolveError
from freezer.fetch.http.redact import redact
from freezer.model.base import Model
from freezer.model.canonical import digest, json_bytes, plain
from freezer.resolve.debian.apt import RULES, Chosen, InstallPlan, simulate_install
from freezer.resolve.debian.known import known_packages
from freezer.resolve.debian.package_requests import PackageRequest, parse_requests
from freezer.resolve.debian.packages import PackageTable
from freezer.resolve.debian.reasons import REQUESTED, explain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freezer.engine.interface import Engine
    from freezer.fetch.debian.packages_index import Index
    from freezer.fetch.store.store import Store
    from freezer.model.events import Reporter
    from freezer.model.lock import BasePackage, DebianPackage
    from freezer.resolve.debian.packages import Candidate

_MEMO = "debian-answer"
_PACKAGES = "debian-packages"
_FORMAT = 1
"""Format number; increment when the same request of the same indices would give another answer."""


class _Known(Model):
    """A memoised :class:`InstallPlan`."""

    installed: tuple[tuple[str, str, str, str | None], ...]
    removed: tuple[str, ...]


def resolve_debian(  # noqa: PLR0913 - all inputs of one resolution
    requested: Sequence[str],
    image: str,
    indices: Sequence[Index],
    *,
    installed: Sequence[BasePackage],
    keep: Mapping[str, str],
    engine: Engine,
    store: Store,
    report: Reporter,
    reasons: Mapping[str, str],
) -> tuple[DebianPackage, ...]:
    """Return the packages to install on a base, sorted by name.

    ``requested``: ``name``, ``name=version``, ``name:architecture``. ``installed`` packages of the
    base are replaced only where a requested package needs a newer version. ``keep``: preferred
    versions by name; all are dropped when they conflict. ``reasons``: why a name is requested.

    Raises ``ResolveError`` for unknown names and versions, and with apt's message for conflicts;
    ``IntegrityError`` when the base does not trust an archive.
    """
    _require_signed(indices)
    inputs = [
        _FORMAT,
        [index.source for index in indices],
        list(requested),
        [plain(item) for item in installed],
        dict(keep),
        dict(reasons),
    ]
    key = _key(engine, image, indices, inputs)

    def select() -> tuple[DebianPackage, ...]:
        return _resolve(requested, image, indices, installed, keep, engine, store, report, reasons)

    return known_packages(store, _PACKAGES, key, select)


def _resolve(  # noqa: PLR0913, PLR0917 - as resolve_debian
    requested: Sequence[str],
    image: str,
    indices: Sequence[Index],
    installed: Sequence[BasePackage],
    keep: Mapping[str, str],
    engine: Engine,
    store: Store,
    report: Reporter,
    reasons: Mapping[str, str],
) -> tuple[DebianPackage, ...]:
    table = PackageTable(indices)
    wanted = parse_requests(requested, table, {item.name: item.version for item in installed})
    if not wanted:
        return ()
    with report.task(f"Resolving {len(wanted)} Debian packages of the spec"):
        plan = _plan(engine, image, indices, wanted, _pins(keep, table), store)
    _require_no_removal(plan)
    chosen = {item.name: _offered(item, table) for item in plan.installed}
    explicit = {
        item.name: reasons.get(item.text) or reasons.get(item.name) or REQUESTED for item in wanted
    }
    why = explain(chosen, explicit, {item.name: item.replaces for item in plan.installed})
    return tuple(
        chosen[name].package(requested=name in explicit, reason=why[name])
        for name in sorted(chosen)
    )


def _plan(
    engine: Engine,
    image: str,
    indices: Sequence[Index],
    wanted: Sequence[PackageRequest],
    pins: Mapping[str, str],
    store: Store,
) -> InstallPlan:
    """Run apt, or return its memoised result; image, indices, packages and pins are the key."""
    packages = [str(item) for item in wanted]
    key = _key(engine, image, indices, [packages, dict(pins)])
    known = store.get_memo(_MEMO, key, _Known)
    if known is not None:
        return InstallPlan(tuple(Chosen(*item) for item in known.installed), known.removed)
    plan = simulate_install(engine, _image_id(engine, image), indices, packages, pins)
    installed = [[x.name, x.version, x.architecture, x.replaces] for x in plan.installed]
    store.put_memo(_MEMO, key, {"installed": installed, "removed": list(plan.removed)})
    return plan


def _key(engine: Engine, image: str, indices: Sequence[Index], inputs: list[Any]) -> str:
    """Return the digest of apt's rules, the base, the archives' releases and further inputs."""
    releases = [
        [index.signed_by, index.packages_path, digest(index.inrelease)] for index in indices
    ]
    return digest(json_bytes([RULES, _image_id(engine, image), releases, *inputs]))


def _image_id(engine: Engine, image: str) -> str:
    info = engine.image(image)
    if info is None:
        raise EngineError(f"the engine has no image {image}", hint="repeat the command")
    return info.id


def _pins(keep: Mapping[str, str], table: PackageTable) -> dict[str, str]:
    """Return those versions to keep that the archives still have."""
    return {
        name: version
        for name, version in keep.items()
        if any(one.version == version for one in table.candidates(name))
    }


def _require_signed(indices: Sequence[Index]) -> None:
    for index in indices:
        if not index.release_signed:
            raise IntegrityError(
                f"the archive {index.source} {index.suite} is not signed",
                found=redact(index.root),
                expected="a signed InRelease file, which apt requires",
                hint="use a mirror that keeps the archive's own InRelease",
            )


def _require_no_removal(plan: InstallPlan) -> None:
    """Raise ``ResolveError`` where something of the base would be removed or become older."""
    harm = [f"{name} would be removed" for name in plan.removed]
    harm += [
        f"{item.name} {item.replaces} would become {item.version}, which is older"
        for item in plan.installed
        if item.replaces is not None and Version(item.version) < Version(item.replaces)
    ]
    if harm:
        raise ResolveError(
            "the requested Debian packages conflict with those of the base",
            details=harm,
            hint="remove the version under `system`, or choose another base",
        )


def _offered(item: Chosen, table: PackageTable) -> Candidate:
    """Return the verified index entry of a package that apt chose."""
    for one in table.candidates(item.name):
        if (one.version, one.architecture) == (item.version, item.architecture):
            return one
    raise IntegrityError(
        f"apt chose {item.name} {item.version}, which is in no fetched index",
        hint="this is a defect of Freezer: please report it",
    )

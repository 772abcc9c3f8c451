"""Debian packages for an environment: chosen by apt in the base, pinned by the verified indices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debian.debian_support import Version

from freezer.errors import EngineError, IntegrityError, ResolveError
from freezer.fetch.http.redact import redact
from freezer.model.base import Model
from freezer.model.canonical import digest, json_bytes
from freezer.resolve.debian.apt import RULES, Answer, Chosen, ask_apt
from freezer.resolve.debian.packages import PackageTable
from freezer.resolve.debian.reasons import ASKED, explain
from freezer.resolve.debian.wanted import Wanted, check_wanted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freezer.engine.interface import Engine
    from freezer.fetch.debian.packages_index import Index
    from freezer.fetch.store.store import Store
    from freezer.model.events import Reporter
    from freezer.model.lock import BasePackage, DebianPackage
    from freezer.resolve.debian.packages import Candidate

_MEMO = "debian-answer"


class _Known(Model):
    """What apt answered before."""

    installed: tuple[tuple[str, str, str, str | None], ...]
    removed: tuple[str, ...]


def resolve_debian(  # noqa: PLR0913 - one question with all that it depends on
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
    """Return what is to be installed on a base so that it has all that is requested, by name.

    ``requested``: ``name``, ``name=version``, ``name:architecture``. ``installed`` is what the base
    holds, and is left alone unless something asked for needs a newer version of it. ``keep``:
    versions by name to prefer, all or, where they do not fit together, none. ``reasons``: why a
    name is requested.

    Raises ``ResolveError`` for unknown names and versions, and in apt's words for what does not fit
    together; ``IntegrityError`` where the base does not trust an archive.
    """
    _require_signed(indices)
    table = PackageTable(indices)
    wanted = check_wanted(requested, table, {item.name: item.version for item in installed})
    if not wanted:
        return ()
    with report.task(f"Choosing Debian packages for {len(wanted)} of the spec's"):
        answer = _answer(engine, image, indices, wanted, _pins(keep, table), store)
    _require_harmless(answer)
    chosen = {item.name: _offered(item, table) for item in answer.installed}
    asked = {
        item.name: reasons.get(item.asked) or reasons.get(item.name) or ASKED for item in wanted
    }
    why = explain(chosen, asked, {item.name: item.replaces for item in answer.installed})
    return tuple(
        chosen[name].package(requested=name in asked, reason=why[name]) for name in sorted(chosen)
    )


def _answer(
    engine: Engine,
    image: str,
    indices: Sequence[Index],
    wanted: Sequence[Wanted],
    pins: Mapping[str, str],
    store: Store,
) -> Answer:
    """Ask apt, or remember what it said: image, indices and question determine the answer."""
    info = engine.image(image)
    if info is None:
        raise EngineError(f"the engine has no image {image}", hint="repeat the command")
    packages = [str(item) for item in wanted]
    releases = [
        [index.signed_by, index.packages_path, digest(index.inrelease)] for index in indices
    ]
    key = digest(json_bytes([RULES, info.id, releases, packages, dict(pins)]))
    known = store.get_memo(_MEMO, key, _Known)
    if known is not None:
        return Answer(tuple(Chosen(*item) for item in known.installed), known.removed)
    answer = ask_apt(engine, info.id, indices, packages, pins)
    installed = [[x.name, x.version, x.architecture, x.replaces] for x in answer.installed]
    store.put_memo(_MEMO, key, {"installed": installed, "removed": list(answer.removed)})
    return answer


def _pins(keep: Mapping[str, str], table: PackageTable) -> dict[str, str]:
    """Return the versions to keep that the archives still have."""
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
                expected="a signed InRelease, as apt demands it",
                hint="use a mirror that keeps the archive's own InRelease",
            )


def _require_harmless(answer: Answer) -> None:
    """Raise ``ResolveError`` where something of the base would be removed or become older."""
    harm = [f"{name} would be removed" for name in answer.removed]
    harm += [
        f"{item.name} {item.replaces} would become {item.version}, which is older"
        for item in answer.installed
        if item.replaces is not None and Version(item.version) < Version(item.replaces)
    ]
    if harm:
        raise ResolveError(
            "what the spec asks for does not fit on what the base holds",
            details=harm,
            hint="leave out the version under `system`, or choose another base",
        )


def _offered(item: Chosen, table: PackageTable) -> Candidate:
    """Return the verified index's entry for what apt chose."""
    for one in table.candidates(item.name):
        if (one.version, one.architecture) == (item.version, item.architecture):
            return one
    raise IntegrityError(
        f"apt chose {item.name} {item.version}, which no fetched index holds",
        hint="this is a defect of Freezer: please report it",
    )

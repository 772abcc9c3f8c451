"""Completes the pins of an existing lock to full records, and finds removed packages.

Most locks store too little of a package (no size, no type, often only an MD5), so the channel's
record is looked up by file name and compared with the hashes of the lock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from freezer.errors import ArtifactGoneError, IntegrityError
from freezer.resolve.conda.nearest import nearest
from freezer.resolve.conda.solver.indexes import ask_indexes, fetch_indexes
from freezer.resolve.conda.solver.interface import CondaResolution
from freezer.resolve.conda.solver.result import package_of, reasons_of, undated_warning

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from freezer.fetch.conda.channels import CondaChannel
    from freezer.fetch.store.store import Store
    from freezer.model.events import Reporter
    from freezer.model.lock import CondaPackage
    from freezer.resolve.conda.takeover.pins import CondaPin


@dataclass(frozen=True)
class MissingPackage:
    """A package that its channel no longer has as it was locked."""

    name: str
    version: str
    build: str
    channel: str
    nearest: tuple[str, ...] = ()
    """``VERSION BUILD`` of the channel's current packages of that name, the most similar first."""
    replaced: bool = False
    """True when the channel has a file of that name with other bytes."""

    def __str__(self) -> str:
        """Render as one line of an error."""
        head = f"{self.name} {self.version} {self.build} ({self.channel})"
        if self.replaced:
            return f"{head}: the channel has other bytes under that name"
        return f"{head}: it has {', '.join(self.nearest)}" if self.nearest else head


def import_runs(
    pins: Sequence[CondaPin], *, subdir: str, store: Store, report: Reporter
) -> CondaResolution:
    """Return the packages of an existing lock as full records, without solving.

    Raises ``ArtifactGoneError`` with packages that their channels no longer have,
    ``IntegrityError`` when a channel has other bytes, ``FetchError`` when one cannot be reached.
    """
    records = {pin.name: pin.record for pin in pins if pin.record is not None}
    rest = [pin for pin in pins if pin.record is None]
    if rest:
        channels = tuple({pin.channel.name: pin.channel for pin in rest}.values())
        found = _look_up(
            [_query(pin, pin.channel.name) for pin in rest], channels, subdir, store, report
        )
        _require_available([removed for removed, _ in found if removed])
        records |= {record["name"]: record for _, record in found if record}
    reasons = reasons_of({name: record.get("depends", ()) for name, record in records.items()}, {})
    packages = []
    for pin in sorted(pins, key=lambda pin: pin.name):
        needed = reasons[pin.name].startswith("needed by")
        why = {
            "requested": not needed,
            "reason": reasons[pin.name] if needed else f"locked in {pin.where.file}",
        }
        record = {**records[pin.name], "channel": pin.channel.name, "subdir": pin.subdir}
        packages.append(package_of(record, why))
    return CondaResolution(tuple(packages), tuple(undated_warning(packages)))


def removed_from_channels(
    packages: Iterable[CondaPackage],
    channels: Sequence[CondaChannel],
    *,
    subdir: str,
    store: Store,
    report: Reporter,
) -> list[MissingPackage]:
    """Return those locked packages that their channels no longer have.

    Packages whose archive is in the store are not looked up. Raises ``FetchError`` when a channel
    cannot be reached.
    """
    queries = [_query(item, item.channel) for item in packages if not store.has(item.sha256)]
    used = {item["channel"] for item in queries}
    missing = tuple(channel for channel in channels if channel.name in used)
    if not queries:
        return []
    found = _look_up(queries, missing, subdir, store, report)
    return [removed for removed, _ in found if removed]


def _query(item: CondaPin | CondaPackage, channel: str) -> dict[str, Any]:
    return {
        "channel": channel,
        **{
            name: getattr(item, name)
            for name in ("name", "version", "build", "subdir", "file", "sha256", "md5")
        },
    }


def _look_up(
    queries: Sequence[dict[str, Any]],
    channels: Sequence[CondaChannel],
    subdir: str,
    store: Store,
    report: Reporter,
) -> list[tuple[MissingPackage | None, dict[str, Any] | None]]:
    """Return each archive's record, or what is wrong with it."""
    indexes = fetch_indexes(channels, subdir, store=store, report=report)
    results = ask_indexes({"find": list(queries)}, indexes, store)["found"]
    return [_checked(item, result) for item, result in zip(queries, results, strict=True)]


def _checked(
    item: dict[str, Any], result: dict[str, Any]
) -> tuple[MissingPackage | None, dict[str, Any] | None]:
    names = {key: item[key] for key in ("name", "version", "build", "channel")}
    record = result.get("record")
    if record is None:
        near = nearest(item["version"], item["build"], result["others"])
        return MissingPackage(**names, nearest=near), None
    for kind in ("sha256", "md5"):
        if item[kind] and record.get(kind) not in (None, item[kind]):
            return MissingPackage(**names, replaced=True), None
    # The lock's SHA-256 is used where the channel has none.
    return None, {**record, "sha256": record.get("sha256") or item["sha256"]}


def _require_available(removed: Sequence[MissingPackage]) -> None:
    replaced = [item for item in removed if item.replaced]
    if replaced:
        raise IntegrityError(
            "a channel serves other bytes than the locked ones",
            details=[str(item) for item in replaced],
            hint="do not use that channel until you know why",
        )
    if removed:
        count = len(removed)
        raise ArtifactGoneError(
            f"{count} locked package{'s are' if count > 1 else ' is'} no longer on the channel",
            details=[str(item) for item in removed],
            hint="solve again from the environment.yml, or configure a mirror that still has them",
        )

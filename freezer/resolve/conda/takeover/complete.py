"""From the pins of an existing lock to whole records, and what their channels no longer have.

Most locks keep too little of a package (no size, no kind, often only an MD5), so the channel's own
record is looked up by file name and compared with the hashes that the lock has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from freezer.errors import ArtifactGoneError, IntegrityError
from freezer.resolve.conda.nearest import nearest
from freezer.resolve.conda.solver.answer import package_of, reasons_of, undated_warning
from freezer.resolve.conda.solver.indexes import ask_indexes, fetch_indexes
from freezer.resolve.conda.solver.interface import CondaResolution

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from freezer.fetch.conda.channels import CondaChannel
    from freezer.fetch.store.store import Store
    from freezer.model.events import Reporter
    from freezer.model.lock import CondaPackage
    from freezer.resolve.conda.takeover.pins import CondaPin


@dataclass(frozen=True)
class Gone:
    """A package that its channel no longer offers as it was locked."""

    name: str
    version: str
    build: str
    channel: str
    nearest: tuple[str, ...] = ()
    """``VERSION BUILD`` of what the channel has of it now, those most alike first."""
    replaced: bool = False
    """True when the channel has a file of that name with other bytes."""

    def __str__(self) -> str:
        """Render as one line of an error."""
        head = f"{self.name} {self.version} {self.build} ({self.channel})"
        if self.replaced:
            return f"{head}: the channel has other bytes under that name"
        return f"{head}: it has {', '.join(self.nearest)}" if self.nearest else head


def take_over(
    pins: Sequence[CondaPin], *, subdir: str, store: Store, report: Reporter
) -> CondaResolution:
    """Return the packages that an existing lock pins, as whole records, without solving.

    Raises ``ArtifactGoneError`` naming packages that their channels no longer have,
    ``IntegrityError`` when a channel has other bytes, ``FetchError`` when one is out of reach.
    """
    records = {pin.name: pin.record for pin in pins if pin.record is not None}
    rest = [pin for pin in pins if pin.record is None]
    if rest:
        channels = tuple({pin.channel.name: pin.channel for pin in rest}.values())
        found = _look_up(
            [_wanted(pin, pin.channel.name) for pin in rest], channels, subdir, store, report
        )
        _require_there([gone for gone, _ in found if gone])
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


def gone_from_channels(
    packages: Iterable[CondaPackage],
    channels: Sequence[CondaChannel],
    *,
    subdir: str,
    store: Store,
    report: Reporter,
) -> list[Gone]:
    """Return those of some locked packages that their channels no longer offer.

    Packages whose archive the store holds are not requested. Raises ``FetchError`` when a channel
    is out of reach.
    """
    wanted = [_wanted(item, item.channel) for item in packages if not store.has(item.sha256)]
    used = {item["channel"] for item in wanted}
    asked = tuple(channel for channel in channels if channel.name in used)
    if not wanted:
        return []
    found = _look_up(wanted, asked, subdir, store, report)
    return [gone for gone, _ in found if gone]


def _wanted(item: CondaPin | CondaPackage, channel: str) -> dict[str, Any]:
    return {
        "channel": channel,
        **{
            name: getattr(item, name)
            for name in ("name", "version", "build", "subdir", "file", "sha256", "md5")
        },
    }


def _look_up(
    wanted: Sequence[dict[str, Any]],
    channels: Sequence[CondaChannel],
    subdir: str,
    store: Store,
    report: Reporter,
) -> list[tuple[Gone | None, dict[str, Any] | None]]:
    """Return for each archive what is wrong with it, or its record."""
    indexes = fetch_indexes(channels, subdir, store=store, report=report)
    answers = ask_indexes({"find": list(wanted)}, indexes, store)["found"]
    return [_judged(item, answer) for item, answer in zip(wanted, answers, strict=True)]


def _judged(
    item: dict[str, Any], answer: dict[str, Any]
) -> tuple[Gone | None, dict[str, Any] | None]:
    names = {key: item[key] for key in ("name", "version", "build", "channel")}
    record = answer.get("record")
    if record is None:
        near = nearest(item["version"], item["build"], answer["others"])
        return Gone(**names, nearest=near), None
    for kind in ("sha256", "md5"):
        if item[kind] and record.get(kind) not in (None, item[kind]):
            return Gone(**names, replaced=True), None
    # A lock's own SHA-256 holds even where the channel has none.
    return None, {**record, "sha256": record.get("sha256") or item["sha256"]}


def _require_there(gone: Sequence[Gone]) -> None:
    replaced = [item for item in gone if item.replaced]
    if replaced:
        raise IntegrityError(
            "a channel has other bytes than were locked",
            details=[str(item) for item in replaced],
            hint="do not use that channel until you know why",
        )
    if gone:
        count = len(gone)
        raise ArtifactGoneError(
            f"{count} locked package{'s are' if count > 1 else ' is'} no longer on the channel",
            details=[str(item) for item in gone],
            hint="solve anew from the environment.yml, or configure a mirror that still has them",
        )

"""`freeze data status`, `diff`, `verify` and `record`: the state of data sets, and what changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.data.snapshot import members_of
from freezer.flows.data.declared import declarations
from freezer.flows.data.records import find, latest, recorded_members, write_record
from freezer.flows.data.sets import data_sets, require_expected, take

if TYPE_CHECKING:
    from freezer.data.diff import DataDiff
    from freezer.data.entry import Member
    from freezer.data.snapshot import Snapshot
    from freezer.flows.data.records import DataRecord
    from freezer.flows.data.sets import DataSet
    from freezer.flows.project.project import Project


@dataclass(frozen=True)
class SetStatus:
    """What a data set is, beside what it was and what it should be."""

    now: Snapshot
    expect: str | None
    """The pinned digest, with its prefix; None where the spec pins none."""
    recorded: DataRecord | None
    """The newest recorded state."""

    @property
    def as_pinned(self) -> bool:
        """Whether nothing contradicts the spec."""
        return self.expect in (None, self.now.digest)

    @property
    def changed(self) -> bool:
        """Whether it differs from its newest record."""
        return self.recorded is not None and self.recorded.digest != self.now.digest


@dataclass(frozen=True)
class SetDiff:
    """What changed in a data set between two states."""

    name: str
    old: str
    new: str
    """Digests."""
    diff: DataDiff


@dataclass(frozen=True)
class SetVerified:
    """What reading every byte of a data set showed."""

    now: Snapshot
    expect: str | None
    spoiled: tuple[tuple[Member, Member], ...]
    """Members whose bytes differ although size and times say that nobody wrote to them."""

    @property
    def good(self) -> bool:
        """Whether the bytes are those that were hashed before, and those that are pinned."""
        return not self.spoiled and self.expect in (None, self.now.digest)


def status(project: Project, name: str | None, wanted: tuple[str, ...] = ()) -> list[SetStatus]:
    """Return the state of each data set. Raises ``SpecError`` and ``DataError``."""
    environment = declarations(project, name).environment
    return [
        SetStatus(take(project, one), _pinned(one), latest(project, environment, one.name))
        for one in data_sets(project, name, wanted)
    ]


def diff(project: Project, name: str | None, wanted: str, old: str | None) -> SetDiff | None:
    """Return what changed in a data set since a recorded state; None when none is recorded.

    ``old`` are the first digits of that state's digest; the newest one by default.
    """
    from freezer.data.diff import data_diff  # not needed for a status, which has to be quick

    environment = declarations(project, name).environment
    [one] = data_sets(project, name, (wanted,))
    record = (
        find(project, environment, wanted, old) if old else latest(project, environment, wanted)
    )
    if record is None:
        return None
    now = take(project, one)
    before = recorded_members(project, record)
    return SetDiff(
        wanted, record.digest, now.digest, data_diff(before, members_of(now, project.store))
    )


def verify(project: Project, name: str | None, wanted: tuple[str, ...] = ()) -> list[SetVerified]:
    """Read every byte again, whatever is known, and compare. Raises ``DataError``."""
    from freezer.data.diff import data_diff

    found = []
    for one in data_sets(project, name, wanted):
        known = take(project, one)
        before = members_of(known, project.store)
        now = take(project, one, reread=True)
        spoiled: tuple[tuple[Member, Member], ...] = ()
        if now.digest != known.digest:
            spoiled = data_diff(before, members_of(now, project.store)).changed
        found.append(SetVerified(now, _pinned(one), spoiled))
    return found


def record(project: Project, name: str | None, wanted: tuple[str, ...] = ()) -> list[DataRecord]:
    """Record the state of data sets. Raises ``DataError`` for one that is not as it is pinned."""
    environment = declarations(project, name).environment
    taken = [(one, take(project, one)) for one in data_sets(project, name, wanted)]
    for one, now in taken:
        require_expected(one, now.digest)
    return [write_record(project, environment, now) for _, now in taken]


def _pinned(one: DataSet) -> str | None:
    return None if one.expect is None else f"sha256:{one.expect}"

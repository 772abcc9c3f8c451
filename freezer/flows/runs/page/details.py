"""Environments and data sets of the runs on a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from freezer.data.listing import read_listing
from freezer.ecosystems import ECOSYSTEMS
from freezer.errors import FreezerError
from freezer.flows.history.generations import generation
from freezer.flows.project.environment import load_locked
from freezer.history.diff import diff_locks
from freezer.history.suspects import assess
from freezer.ledger import query
from freezer.model.record.run import Digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from freezer.data.entry import Member
    from freezer.flows.project.environment import Locked
    from freezer.flows.project.project import Project
    from freezer.history.suspects import Suspect
    from freezer.ledger.connect import Ledger
    from freezer.model.record.run import Run

MOST_LOCKS: Final = 12
"""Locks that are compared with each other, the most recently used."""
MOST_FILES: Final = 20_000
"""Files of all data sets together that a page lists."""


@dataclass(frozen=True)
class Environment:
    """The packages of a lock."""

    name: str
    as_of: str
    packages: tuple[tuple[str, str, str], ...]
    """Ecosystem, name and version."""


@dataclass(frozen=True)
class Files:
    """The files of one state of a data set."""

    count: int
    size: int
    """Bytes."""
    members: tuple[Member, ...] | None
    """None where the page has no room for them."""


def environments(
    project: Project, runs: Sequence[Run]
) -> tuple[dict[str, Environment], dict[tuple[str, str], tuple[Suspect, ...]]]:
    """Return the packages of the locks that runs used, by lock ID, and what differs between two.

    A lock that is not in the history is left out.
    """
    found = dict(_locks(project, runs))
    described = {lock_id: _described(locked) for lock_id, locked in found.items()}
    compared = list(found)[:MOST_LOCKS]
    suspects = {
        (one, other): assess(diff_locks(found[one].lock, found[other].lock))
        for one in compared
        for other in compared
        if one != other and described[one].name == described[other].name
    }
    return described, suspects


def data_files(ledger: Ledger, runs: Sequence[Run]) -> dict[str, Files]:
    """Return the files of the data sets that runs read, by the digest of their list."""
    lists = {
        value.text: None
        for run in runs
        for name, value in sorted(run.fields.items())
        if name.startswith("data.") and name.endswith(".list") and isinstance(value, Digest)
    }
    found: dict[str, Files] = {}
    room = MOST_FILES
    for digest in lists:
        try:
            members = read_listing(query.content(ledger, digest), digest)
        except FreezerError:
            continue
        fits = len(members) <= room
        room -= len(members) if fits else 0
        total = sum(one.size for one in members)
        found[digest] = Files(len(members), total, tuple(members) if fits else None)
    return found


def _locks(project: Project, runs: Sequence[Run]) -> Iterator[tuple[str, Locked]]:
    wanted = {(run.environment, str(run.fields["lock"])): None for run in runs if _has_lock(run)}
    current: Mapping[str, Locked | None] = {
        name: _current(project, name) for name in {name: None for name, _ in wanted}
    }
    for name, lock_id in wanted:
        now = current[name]
        if now is not None and now.id == lock_id:
            yield lock_id, now
            continue
        try:
            yield lock_id, generation(project, name, lock_id)
        except FreezerError:
            continue


def _has_lock(run: Run) -> bool:
    return isinstance(run.fields.get("lock"), Digest)


def _current(project: Project, name: str) -> Locked | None:
    try:
        return load_locked(project.root, name)
    except FreezerError:
        return None


def _described(locked: Locked) -> Environment:
    packages = [
        (ecosystem.name, name, version)
        for ecosystem in ECOSYSTEMS
        for name, version in sorted(ecosystem.versions(ecosystem.packages(locked.lock)).items())
    ]
    return Environment(locked.lock.name, str(locked.lock.as_of), tuple(packages))

"""The history of an environment: entries in a file, each with its predecessors' digests."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from freezer.errors import HistoryError, Where
from freezer.fetch.store.atomic import disk_errors, write_atomically
from freezer.history.files import read_regular
from freezer.history.parse import Line, line_of, parse_lines, require_chain, tips
from freezer.model.canonical import digest
from freezer.model.generation import Checked, Generation
from freezer.model.lockfile import LOCK_FILE
from freezer.model.record.word import GOOD

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

FOLDER: Final = "history"
LOG_FILE: Final = "generations.jsonl"


@dataclass(frozen=True)
class History:
    """All lines, oldest first; each entry follows earlier entries."""

    lines: tuple[Line, ...] = ()
    shown: str = LOG_FILE
    """The file's path for messages."""

    @classmethod
    def of(cls, entries: Iterable[Generation | Checked], shown: str = LOG_FILE) -> History:
        """Return the history of some entries."""
        return cls(tuple(map(line_of, entries)), shown)

    @cached_property
    def entries(self) -> tuple[Generation | Checked, ...]:
        """All entries, oldest first."""
        return tuple(line.entry for line in self.lines)

    @property
    def data(self) -> bytes:
        """The bytes of its file."""
        return b"".join(line.data + b"\n" for line in self.lines)

    @cached_property
    def generations(self) -> tuple[Generation, ...]:
        """The generations, oldest first. After a join, two may share a number."""
        return tuple(one for one in self.entries if isinstance(one, Generation))

    @property
    def head(self) -> Generation | None:
        """The last generation: the current one, unless the lock was replaced without an entry."""
        return self.generations[-1] if self.generations else None

    @cached_property
    def _by_generation(self) -> dict[tuple[int, str], tuple[Checked, ...]]:
        """The checks by number and lock ID of the generation, oldest first."""
        found: dict[tuple[int, str], list[Checked]] = {}
        for one in self.entries:
            if isinstance(one, Checked):
                found.setdefault((one.generation, one.lock_id), []).append(one)
        return {key: tuple(checks) for key, checks in found.items()}

    @cached_property
    def _by_lock(self) -> dict[str, tuple[Generation | Checked, ...]]:
        """The entries by lock ID, oldest first."""
        found: dict[str, list[Generation | Checked]] = {}
        for one in self.entries:
            found.setdefault(one.lock_id, []).append(one)
        return {lock_id: tuple(entries) for lock_id, entries in found.items()}

    @cached_property
    def tips(self) -> tuple[str, ...]:
        """Digests of the entries without successors: the parents of the next entry."""
        return tips(self.lines)

    @cached_property
    def by_digest(self) -> dict[str, Generation | Checked]:
        """The entries by their digests."""
        return {line.digest: line.entry for line in self.lines}

    def extended(self, *entries: Generation | Checked) -> History:
        """Return the history with further entries; existing ones are not added again.

        Raises ``HistoryError`` when the first new one does not follow the last entry.
        """
        added = [line for line in map(line_of, entries) if line.digest not in self.by_digest]
        if not added:
            return self
        if added[0].entry.parents != self.tips:
            raise HistoryError(
                "the entry does not follow the last one of the history",
                where=Where(self.shown),
                hint="another freeze process changed it; repeat the command",
            )
        after = History((*self.lines, *added), self.shown)
        require_chain(after.lines, self.shown)
        return after

    @property
    def next_number(self) -> int:
        """The number of the next generation."""
        return max((one.number for one in self.generations), default=0) + 1

    def find(self, name: int | str) -> Generation:
        """Return a generation by number, or by a prefix (4 or more digits) of its lock ID.

        Raises ``HistoryError`` when there is none, or two with different locks.
        """
        found = [one for one in self.generations if _is_called(one, name)]
        if not found:
            raise HistoryError(
                f"there is no generation {name}",
                where=Where(self.shown),
                expected=_range(self.generations),
                hint="`freeze log` lists them",
            )
        if len({one.lock_id for one in found}) > 1:
            raise HistoryError(
                f"{name} may mean several generations: two branches were joined here",
                where=Where(self.shown),
                details=[f"{one.number}: lock {one.lock_id[:12]}, {one.summary}" for one in found],
                hint="name it by its lock ID",
            )
        return found[-1]

    def last_of(self, lock_id: str) -> Generation | None:
        """Return the last generation of a lock; None when it was never current."""
        same = reversed(self._by_lock.get(lock_id, ()))
        return next((one for one in same if isinstance(one, Generation)), None)

    def verdicts(self, generation: int | Generation) -> tuple[Checked, ...]:
        """Return the checks of a generation, oldest first. Raises ``HistoryError``."""
        one = self.find(generation) if isinstance(generation, int) else generation
        return self._by_generation.get((one.number, one.lock_id), ())

    def checks(self, lock_id: str) -> tuple[Checked, ...]:
        """Return the checks of a lock, oldest first."""
        return tuple(one for one in self._by_lock.get(lock_id, ()) if isinstance(one, Checked))

    def references(self, lock_id: str) -> dict[str, str]:
        """Return the SHA-256 of each reference at the last check of a lock, by class."""
        checks = self.checks(lock_id)
        return {one.class_: one.reference for one in checks if one.reference is not None}

    def inventory(self, lock_id: str) -> str | None:
        """Return the SHA-256 of the inventory at the last check of a lock that had one."""
        found = [one.inventory for one in self.checks(lock_id) if one.inventory is not None]
        return found[-1] if found else None

    def images(self, lock_id: str) -> frozenset[str]:
        """Return the image IDs recorded for a lock."""
        found = {one.image for one in self._by_lock.get(lock_id, ())}
        return frozenset(one for one in found if one is not None)

    def is_good(self, generation: Generation) -> bool:
        """Return whether the last check in every numerics class was good, and there was one."""
        last = {one.class_: one.word for one in self.verdicts(generation)}
        return bool(last) and all(word in GOOD for word in last.values())

    def last_good(self, before: int | None = None) -> Generation | None:
        """Return the last good generation with another lock before one (the head).

        Before a rollback comes the generation before its target, so rolling back twice goes further
        back. Raises ``HistoryError`` when there is no generation ``before``.
        """
        start = self.head if before is None else self.find(before)
        if start is None:
            return None
        earlier = self.generations[: self.generations.index(self.origin(start))]
        candidates = (one for one in reversed(earlier) if one.lock_id != start.lock_id)
        return next((one for one in candidates if self.is_good(one)), None)

    def origin(self, one: Generation) -> Generation:
        """Return the target of a rollback; any other generation is its own origin."""
        while one.action == "rollback":
            earlier = self.generations[: self.generations.index(one)]
            same = [other for other in earlier if other.lock_id == one.lock_id]
            if not same:  # from a bundle, whose history is not here
                return one
            one = same[-1]
        return one


def _is_called(one: Generation, name: int | str) -> bool:
    if isinstance(name, int):
        return one.number == name
    return len(name) >= 4 and one.lock_id.startswith(name)


def _range(generations: Sequence[Generation]) -> str:
    if not generations:
        return "a generation; `freeze lock` makes the first"
    numbers = [one.number for one in generations]
    return f"a number from {min(numbers)} to {max(numbers)}, or the first digits of a lock ID"


def read_history(folder: Path, shown: str) -> History:
    """Return the history of the lock in a folder; empty when there is none.

    ``shown`` is the folder's path for messages. Raises ``HistoryError`` with file and line for a
    malformed line, an edited entry, a missing predecessor, conflict markers of a merge, and two
    branches that were not joined.
    """
    place = f"{shown}/{FOLDER}/{LOG_FILE}"
    lines = parse_lines(read_log(folder, place), place)
    require_chain(lines, place)
    return History(lines, place)


def read_log(folder: Path, place: str) -> bytes:
    """Return the bytes of a history file; empty when there is none. Raises ``HistoryError``."""
    try:
        return read_regular(folder, f"{FOLDER}/{LOG_FILE}")
    except FileNotFoundError:
        _require_none_kept(folder, place)
        return b""
    except OSError as error:
        raise HistoryError(
            "the history cannot be read", where=Where(place), found=error.strerror
        ) from error


def _require_none_kept(folder: Path, place: str) -> None:
    """Raise ``HistoryError`` when locks are archived but the history is missing.

    Only the current lock may be: a process killed before it wrote the first entry leaves that.
    """
    lock = folder / LOCK_FILE
    current = digest(lock.read_bytes()) if lock.is_file() else None
    kept = {path.parent.name for path in (folder / FOLDER).glob(f"*/{LOCK_FILE}")} - {current}
    if kept:
        raise HistoryError(
            "the history is missing, but locks of it are archived",
            where=Where(place),
            found=f"{FOLDER}/{min(kept)[:12]}…",
            hint="restore the file from version control, or remove the folder to start again",
        )


def append(folder: Path, past: History, *entries: Generation | Checked) -> History:
    """Add entries to the history read from a folder, atomically; return the longer history.

    Existing entries are not added again, so an interrupted switch can be finished. The caller holds
    the environment's exclusive lock. Raises ``HistoryError`` when an entry does not follow the last
    one, or the file was changed since it was read (as by a `git pull`).
    """
    after = past.extended(*entries)
    if after is past:
        return past
    if read_log(folder, past.shown) != past.data:
        raise HistoryError(
            "the history was changed by another program while this command ran",
            where=Where(past.shown),
            hint="see `freeze log`, then repeat the command",
        )
    write_log(folder, after)
    return after


def write_log(folder: Path, past: History) -> None:
    """Write a history whose chain was verified before."""
    path = folder / FOLDER / LOG_FILE
    with disk_errors(folder):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, past.data)

"""Compares the files of a history, and those next to the current lock, with its records.

Files without a record are reported as not covered: entries of early versions of Freezer record
less, and a file may be newer than the last entry. Files that Freezer never writes are faults.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from freezer.errors import CheckError, HistoryError, LockError
from freezer.history.archive import (
    ATTESTATIONS,
    INSIDE,
    PLANS,
    SMOKE,
    archive_folder,
    archived_bytes,
)
from freezer.history.changelog import CHANGELOG_FILE
from freezer.history.files import read_regular
from freezer.history.log import FOLDER, LOG_FILE
from freezer.history.stored import INVENTORY_FILE, REFERENCES, recorded_files
from freezer.history.switch import JOURNAL
from freezer.model.canonical import digest
from freezer.model.lockfile import LOCK_FILE, parse_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Set
    from pathlib import Path

    from freezer.history.log import History

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_HIDDEN: Final = re.compile(
    r"\.(gitkeep|gitignore|gitattributes|DS_Store|.+\.[0-9a-z_]{8}(\.part)?)"
)
"""Files of version control, file managers and killed processes, which Freezer ignores."""


@dataclass
class Findings:
    """The result of comparing a history with its files."""

    faults: list[str] = field(default_factory=list)
    """Files that were edited, removed, replaced or added, each line starting with the file."""
    uncovered: list[str] = field(default_factory=list)
    """Files that no entry records, with the reason."""

    def add(self, error: HistoryError | LockError | CheckError) -> None:
        """Add an error as a one-line fault."""
        found = f": found {error.found}" if error.found else ""
        expected = f", expected {error.expected}" if error.expected else ""
        details = f" ({'; '.join(error.details)})" if error.details else ""
        self.faults.append(f"{error.where}: {error.what}{found}{expected}{details}")


class FileVerifier:
    """Compares one environment's folders with its history."""

    def __init__(
        self,
        folder: Path,
        shown: str,
        past: History,
        owner_of: Callable[[bytes, str], str],
        findings: Findings,
    ) -> None:
        """``owner_of`` returns the lock ID in a reference, or raises ``CheckError``."""
        self.folder = folder
        self.shown = shown
        self.past = past
        self.owner_of = owner_of
        self.findings = findings
        self.locks = list(dict.fromkeys(one.lock_id for one in past.entries))
        self.known = {
            (name, sha256)
            for one in self.locks
            for name, sha256 in recorded_files(past, one).items()
        }
        """Every file that is recorded for any lock."""

    def archives(self, current: str | None) -> None:
        """Compare all archived locks with their files, and find locks without an entry."""
        root = self.folder / FOLDER
        for name, path in _entries(root):
            shown = f"{self.shown}/{FOLDER}/{name}"
            if not _SHA256.fullmatch(name):
                if name not in (LOG_FILE, JOURNAL):
                    self._fault(shown, "freeze writes no such file")
            elif name not in {*self.locks, current}:
                self._fault(
                    shown,
                    "no generation has this lock: its entry was removed, or the folder was added",
                )
            elif not _is_folder(path):
                self._fault(shown, f"{_kind(path)} instead of a folder")
        for lock_id in self.locks:
            self._archive(lock_id)

    def _archive(self, lock_id: str) -> None:
        folder, shown = archive_folder(self.folder, lock_id), f"{self.shown}/{FOLDER}/{lock_id}"
        if folder.exists() and not _is_folder(folder):
            return  # reported above
        try:
            data = archived_bytes(self.folder, lock_id, f"{shown}/{LOCK_FILE}")
        except HistoryError as error:
            self.findings.add(error)
            data = None
        recorded = recorded_files(self.past, lock_id)
        del recorded[LOCK_FILE]
        for name, sha256 in recorded.items():
            self._compare(folder, name, sha256, shown)
        for name in self._walk(folder, shown, {REFERENCES, SMOKE}):
            if name.startswith(f"{SMOKE}/"):
                self._smoke(folder, name, shown, data)
            elif name != LOCK_FILE and name not in recorded:
                self._unrecorded(folder, name, shown)

    def _smoke(self, folder: Path, name: str, shown: str, lock: bytes | None) -> None:
        sha256 = name.removeprefix(f"{SMOKE}/")
        try:
            known = lock is None or sha256 in {
                one.sha256 for one in parse_lock(lock, shown).own_files
            }
        except LockError:  # of an unsupported schema
            known = True
        if known:
            self._compare(folder, name, sha256, shown)
        else:
            self._fault(f"{shown}/{name}", "the lock has no such file")

    def current(self, lock_id: str | None, exports: frozenset[str]) -> None:
        """Compare the files next to the current lock; ``exports`` are the possible names.

        ``lock_id`` is the ID of the lock in place, None when it cannot be read.
        """
        head = self.past.head
        recorded: dict[str, str] = {}
        if head is None:
            if lock_id is not None:
                self._uncovered(LOCK_FILE, "there is no history yet")
        elif lock_id == head.lock_id:
            recorded = recorded_files(self.past, head.lock_id)
        elif lock_id is not None:
            self._fault(
                f"{self.shown}/{LOCK_FILE}",
                f"it is not the lock of the last generation, {head.number} ({head.lock_id[:12]}), "
                "and no freeze recorded it",
            )
        for name, sha256 in recorded.items():
            self._current_file(name, sha256)
        own = {*recorded, LOCK_FILE, CHANGELOG_FILE}
        apart = {FOLDER, INSIDE, ATTESTATIONS, PLANS}
        for name in self._walk(self.folder, self.shown, {REFERENCES}, apart):
            if name not in own and (name, self._digest(name)) not in self.known:
                self._next_to_lock(name, exports, bool(head and head.files))

    def _current_file(self, name: str, sha256: str) -> None:
        """Compare a file that the history records for the current lock."""
        if name == INVENTORY_FILE and not os.path.lexists(self.folder / name):
            return  # a check stores it in the archive only
        if name.startswith(f"{REFERENCES}/") or name == INVENTORY_FILE:
            found = self._digest(name)
            if found != sha256 and (name, found) in self.known:
                self._uncovered(name, "it belongs to an earlier lock, as the history records it")
                return
        if name != LOCK_FILE:  # its ID was compared already
            self._compare(self.folder, name, sha256, self.shown)

    def _next_to_lock(self, name: str, exports: frozenset[str], records_exports: bool) -> None:
        if name in exports and not records_exports:
            self._uncovered(name, "no entry of the history records it")
        elif name == INVENTORY_FILE or name.startswith(f"{REFERENCES}/"):
            self._unrecorded(self.folder, name, self.shown)
        else:
            self._fault(f"{self.shown}/{name}", "no entry of the history has this file")

    def runtimes(self) -> None:
        """Compare Freezer's runtimes with their names; locks of early versions have none."""
        folder, shown = self.folder / INSIDE, f"{self.shown}/{INSIDE}"
        for name in self._walk(folder, shown, frozenset()):
            if _SHA256.fullmatch(name):
                self._compare(folder, name, name, shown)
            else:
                self._fault(f"{shown}/{name}", "freeze writes no such file")

    def plans(self) -> None:
        """Compare the plans of generations with their names, and find those of none."""
        folder, shown = self.folder / PLANS, f"{self.shown}/{PLANS}"
        wanted = {f"{one.plan}.yaml": one.plan for one in self.past.generations if one.plan}
        for name, sha256 in sorted(wanted.items()):
            self._compare(folder, name, sha256, shown)
        for name in self._walk(folder, shown, frozenset()):
            if name not in wanted:
                self._fault(f"{shown}/{name}", "no generation has this plan")

    def _unrecorded(self, folder: Path, name: str, shown: str) -> None:
        """Report a file without a record: an inventory, or a valid reference."""
        place = f"{shown}/{name}"
        if name.startswith(f"{REFERENCES}/"):
            try:
                owner = self.owner_of(read_regular(folder, name), place)
            except CheckError as error:
                self.findings.add(error)
                return
            except OSError as error:
                self._fault(place, f"{error.strerror}")
                return
            if name in recorded_files(self.past, owner):
                self._fault(place, "it is not the recorded one")
                return
        elif name != INVENTORY_FILE:
            self._fault(place, "no entry of the history has this file")
            return
        self.findings.uncovered.append(f"{place}: no entry of the history records it")

    def _digest(self, name: str) -> str | None:
        try:
            return digest(read_regular(self.folder, name))
        except OSError:
            return None

    def _compare(self, folder: Path, name: str, sha256: str, shown: str) -> None:
        try:
            found = digest(read_regular(folder, name))
        except FileNotFoundError:
            self._fault(f"{shown}/{name}", "a file of the history is missing")
        except OSError as error:
            self._fault(f"{shown}/{name}", f"a file of the history was replaced: {error.strerror}")
        else:
            if found != sha256:
                self._fault(
                    f"{shown}/{name}",
                    f"a file of the history was edited: found bytes that hash to {found[:12]}, "
                    f"expected {sha256[:12]}",
                )

    def _walk(
        self, folder: Path, shown: str, folders: Set[str], others: Set[str] = frozenset()
    ) -> Iterator[str]:
        """Yield the regular files of a folder and of some subfolders, by relative path.

        Anything else in it is a fault, except for ``others``, which are compared separately.
        """
        for name, path in _entries(folder):
            if name not in folders | others:
                if self._is_file(f"{shown}/{name}", path):
                    yield name
            elif not _is_folder(path):
                self._fault(f"{shown}/{name}", f"{_kind(path)} instead of a folder")
            elif name in folders:
                for below, inner in _entries(path):
                    if self._is_file(f"{shown}/{name}/{below}", inner):
                        yield f"{name}/{below}"

    def _is_file(self, shown: str, path: Path) -> bool:
        if stat.S_ISREG(path.lstat().st_mode):
            return True
        self._fault(shown, f"{_kind(path)} instead of a file")
        return False

    def _uncovered(self, name: str, why: str) -> None:
        self.findings.uncovered.append(f"{self.shown}/{name}: {why}")

    def _fault(self, shown: str, what: str) -> None:
        fault = f"{shown}: {what}"
        if not any(one.startswith(f"{shown}: ") for one in self.findings.faults):
            self.findings.faults.append(fault)


def _entries(folder: Path) -> list[tuple[str, Path]]:
    """Return the contents of a folder by name, sorted; empty for a link or a non-folder."""
    if not _is_folder(folder):
        return []
    return [(one.name, one) for one in sorted(folder.iterdir()) if not _HIDDEN.fullmatch(one.name)]


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def _kind(path: Path) -> str:
    """Describe what is at a path instead of the expected kind."""
    if path.is_symlink():
        return "a link"
    return "a folder" if path.is_dir() else "a file" if path.is_file() else "not a regular file"

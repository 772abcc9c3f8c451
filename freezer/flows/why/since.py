"""Since which generation of a lock a package has had its version."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.ecosystems.interface import Lookup
from freezer.errors import FreezerError
from freezer.flows.history.generations import history, shown_folder
from freezer.flows.project.environment import LOCKS
from freezer.history.archive import archived_bytes
from freezer.history.why import graph, since
from freezer.model.artifact import Artifact
from freezer.model.lockfile import LOCK_FILE, lock_bytes, parse_lock

if TYPE_CHECKING:
    from freezer.ecosystems.interface import Key
    from freezer.flows.project.environment import Locked
    from freezer.flows.project.project import Project
    from freezer.model.generation import Generation
    from freezer.model.lock import Lock


@dataclass(frozen=True)
class Since:
    """From which generation on a package has had its version, and build."""

    generation: Generation
    complete: bool
    """False where an older lock of the history cannot be read: it may be longer."""


def since_when(project: Project, locked: Locked, key: Key) -> Since | None:
    """Return since when; None without a history, or while the lock is not recorded in it.

    Raises ``HistoryError`` when the history was edited.
    """
    name = locked.lock.name
    past = history(project, name)
    if past.head is None or past.head.lock_id != locked.id:
        return None
    folder, shown = project.root / LOCKS / name, shown_folder(name)
    known, unread = {locked.id: True}, list[str]()
    compared = _Compared(locked.lock, key)

    def same(one: Generation) -> bool:
        if one.lock_id not in known:
            try:
                place = f"{shown}/{one.lock_id[:12]}…/{LOCK_FILE}"
                data = archived_bytes(folder, one.lock_id, place)
                known[one.lock_id] = compared.has(data, place)
            except FreezerError:  # `freeze log --verify` says what is wrong with it
                known[one.lock_id] = False
                unread.append(one.lock_id)
        return known[one.lock_id]

    return Since(since(past, past.head, same), complete=not unread)


class _Compared:
    """Holds the locks of the past against a package of the current one.

    To read a lock whole takes long, and there may be sixty of them. So what differs is read only
    where the bytes alone do not tell that nothing does.
    """

    def __init__(self, lock: Lock, key: Key) -> None:
        self._key, self._version = key, _version(lock, key)
        self._section = _section(lock_bytes(lock), key)
        package = graph(lock, Lookup()).packages[key]
        pin = (package.file, package.sha256) if isinstance(package, Artifact) else ()
        self._pin = tuple(part.encode() for part in pin)

    def has(self, data: bytes, place: str) -> bool:
        """Say whether a lock has the package at the same version. Raises ``LockError``."""
        section = _section(data, self._key)
        if section and section == self._section:
            return True
        # The very same file in the same ecosystem: the same version.
        if (
            self._pin
            and b"build-requires:" not in section
            and all(part in section for part in self._pin)
        ):
            return True
        return _version(parse_lock(data, place), self._key) == self._version


def _section(data: bytes, key: Key) -> bytes:
    """Return the lines of an ecosystem in a lock's file, as Freezer writes it; empty for none."""
    ecosystem = "pip" if key.ecosystem == "build" else key.ecosystem
    found = re.search(rf"^{ecosystem}:\n(?:[ -].*\n)*".encode(), data, re.MULTILINE)
    return found[0] if found else b""


def _version(lock: Lock, key: Key) -> tuple[str, str] | None:
    package = graph(lock, Lookup()).packages.get(key)
    return (package.version, getattr(package, "build", "")) if package else None

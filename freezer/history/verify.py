"""Every byte of a history compared with the digests in it: what was edited, gone or added."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from freezer.errors import HistoryError
from freezer.history.archive import (
    INSIDE,
    REFERENCES,
    SMOKE,
    archive_folder,
    archived_bytes,
    verified_file,
)
from freezer.history.changelog import CHANGELOG_FILE, changelog_bytes, changelog_head
from freezer.history.log import FOLDER, LOG_FILE, History, read_log
from freezer.history.parse import broken_links, parse_lines, require_chain
from freezer.model.generation import Checked, Generation
from freezer.model.lockfile import LOCK_FILE
from freezer.model.record.inventory import INVENTORY_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SHA256: Final = re.compile(r"[0-9a-f]{64}")


def faults(
    folder: Path, shown: str, name: str, committed: bytes, current: str | None
) -> Iterator[str]:
    """Yield what is wrong with a history, the file first and with its line; nothing for a good one.

    ``committed`` is the history in the commit that is checked out, empty where there is none;
    ``current`` the ID of the lock that lies there.
    """
    place = f"{shown}/{FOLDER}/{LOG_FILE}"
    try:
        data = read_log(folder, place)
        lines = parse_lines(data, place)
    except HistoryError as error:
        yield _said(error)
        return
    lost = [line for line in committed.splitlines() if line not in set(data.splitlines())]
    for line in lost:
        yield f"{place}: an entry that is in version control was edited or removed: {_named(line)}"
    entries = History(lines).entries
    broken = broken_links(lines)
    yield from (f"{place}:{number}: {fault}" for number, fault in broken)
    if not broken:
        try:
            require_chain(lines, place)
        except HistoryError as error:
            yield _said(error)
    yield from _locks(folder, shown, entries)
    yield from _references(folder, shown, entries)
    yield from _inventories(folder, shown, entries)
    yield from _insides(folder, shown)
    yield from _strangers(folder, shown, entries, current)
    yield from _changelog(folder, f"{shown}/{CHANGELOG_FILE}", name, History(lines))


def _named(line: bytes) -> str:
    found = re.search(rb'"number":(\d+)', line)
    number = found[1].decode() if found else None
    date = re.search(rb'"date":"([0-9TZ:-]{20})"', line)
    when = date[1].decode() if date else "of an unknown date"
    return f"generation {number}, {when}" if number else f"a check, {when}"


def _locks(folder: Path, shown: str, entries: tuple[Generation | Checked, ...]) -> Iterator[str]:
    wanted: dict[str, dict[str, str]] = {}
    for one in entries:
        if isinstance(one, Generation):
            wanted.setdefault(one.lock_id, {}).update(one.files)
    for lock_id, files in wanted.items():
        place = f"{shown}/{FOLDER}/{lock_id}"
        try:
            archived_bytes(folder, lock_id, f"{place}/{LOCK_FILE}")
        except HistoryError as error:
            yield _said(error)
        for name, sha256 in files.items():
            if name != LOCK_FILE:
                yield from _file(archive_folder(folder, lock_id), name, sha256, place)
        smoke = archive_folder(folder, lock_id) / SMOKE
        for path in sorted(smoke.glob("*")):
            yield from _file(smoke, path.name, path.name, f"{place}/{SMOKE}")


def _references(
    folder: Path, shown: str, entries: tuple[Generation | Checked, ...]
) -> Iterator[str]:
    # `freeze check --record` replaces a reference: the last one that was checked against is kept.
    past = History.of(entries)
    for lock_id in dict.fromkeys(one.lock_id for one in entries):
        place = f"{shown}/{FOLDER}/{lock_id}/{REFERENCES}"
        kept = archive_folder(folder, lock_id) / REFERENCES
        for class_, sha256 in past.references(lock_id).items():
            yield from _file(kept, f"{class_}.json", sha256, place)


def _inventories(
    folder: Path, shown: str, entries: tuple[Generation | Checked, ...]
) -> Iterator[str]:
    """Hold the inventories against what the last check of each lock says of them."""
    last = {one.lock_id: one.inventory for one in entries if isinstance(one, Checked)}
    for lock_id, sha256 in last.items():
        if sha256 is not None:
            place = f"{shown}/{FOLDER}/{lock_id}"
            yield from _file(archive_folder(folder, lock_id), INVENTORY_FILE, sha256, place)


def _insides(folder: Path, shown: str) -> Iterator[str]:
    """Hold Freezer's runtime against their names; locks from before they were kept have none.

    Any other name is none of them, such as what an editor or a freeze that was killed left behind.
    """
    parts = (path for path in (folder / INSIDE).glob("*") if _SHA256.fullmatch(path.name))
    for path in sorted(parts):
        yield from _file(path.parent, path.name, path.name, f"{shown}/{INSIDE}")


def _file(folder: Path, name: str, sha256: str, shown: str) -> Iterator[str]:
    try:
        verified_file(folder, name, sha256, shown)
    except HistoryError as error:
        yield _said(error)


def _strangers(
    folder: Path, shown: str, entries: tuple[Generation | Checked, ...], current: str | None
) -> Iterator[str]:
    known = {one.lock_id for one in entries} | {current}
    for path in sorted((folder / FOLDER).glob("*")):
        if _SHA256.fullmatch(path.name) and path.name not in known:
            yield (
                f"{shown}/{FOLDER}/{path.name}: no generation has this lock: its entry was "
                "removed, or the folder was put there"
            )


def _changelog(folder: Path, place: str, name: str, past: History) -> Iterator[str]:
    path = folder / CHANGELOG_FILE
    if not past.lines or not path.is_file():
        return
    data = path.read_bytes()
    told = changelog_head(data)
    digests = [line.digest for line in past.lines]
    if told is None:
        yield f"{place}: it was edited, and names no entry of the history"
    elif told not in digests:
        yield (
            f"{place}: it tells of an entry that the history does not hold: the last entry was "
            "edited, or entries after it were removed"
        )
    # One that tells less than there is was left by a freeze that was killed; the next one mends it.
    elif data != changelog_bytes(History(past.lines[: digests.index(told) + 1]), name):
        yield f"{place}: it was edited, or belongs to another history"


def _said(error: HistoryError) -> str:
    found = f": found {error.found}" if error.found else ""
    expected = f", expected {error.expected}" if error.expected else ""
    details = f" ({'; '.join(error.details)})" if error.details else ""
    return f"{error.where}: {error.what}{found}{expected}{details}"

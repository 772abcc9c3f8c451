"""Verifies a history: entries, archived files, and the files next to the current lock."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.errors import HistoryError
from freezer.history.changelog import CHANGELOG_FILE, changelog_bytes, changelog_head
from freezer.history.files import read_regular
from freezer.history.log import FOLDER, LOG_FILE, History, read_log
from freezer.history.parse import broken_links, parse_lines, require_chain
from freezer.history.verify.stored_files import FileVerifier, Findings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@dataclass(frozen=True)
class Subject:
    """The environment to verify."""

    name: str
    folder: Path
    shown: str
    """The folder's path for messages."""
    current: str | None
    """ID of the lock in place; None when it cannot be read."""
    exports: frozenset[str]
    """All file names that `freeze lock` may write next to the lock."""
    committed: bytes
    """The history file in the checked-out commit; empty when there is none."""


def verify_history(subject: Subject, owner_of: Callable[[bytes, str], str]) -> Findings:
    """Return the faults of a history, and the files that it does not cover.

    ``owner_of`` returns the ID of the lock that a reference belongs to, and raises ``CheckError``
    for bytes that are no reference; its second argument is their path for messages.
    """
    findings = Findings()
    place = f"{subject.shown}/{FOLDER}/{LOG_FILE}"
    try:
        data = read_log(subject.folder, place)
        lines = parse_lines(data, place)
    except HistoryError as error:
        findings.add(error)
        return findings
    there = set(data.splitlines())
    for line in (line for line in subject.committed.splitlines() if line not in there):
        findings.faults.append(
            f"{place}: an entry that is in version control was edited or removed: {_named(line)}"
        )
    broken = broken_links(lines)
    findings.faults += [f"{place}:{number}: {fault}" for number, fault in broken]
    if not broken:
        try:
            require_chain(lines, place)
        except HistoryError as error:
            findings.add(error)
    past = History(lines, place)
    files = FileVerifier(subject.folder, subject.shown, past, owner_of, findings)
    files.archives(subject.current)
    files.runtimes()
    files.plans()
    files.current(subject.current, subject.exports)
    findings.faults += _changelog(subject, past)
    return findings


def _named(line: bytes) -> str:
    found = re.search(rb'"number":(\d+)', line)
    number = found[1].decode() if found else None
    date = re.search(rb'"date":"([0-9TZ:-]{20})"', line)
    when = date[1].decode() if date else "of an unknown date"
    return f"generation {number}, {when}" if number else f"a check, {when}"


def _changelog(subject: Subject, past: History) -> Iterator[str]:
    place = f"{subject.shown}/{CHANGELOG_FILE}"
    if not past.lines:
        return
    try:
        data = read_regular(subject.folder, CHANGELOG_FILE)
    except FileNotFoundError:
        return  # the next command that writes creates it again
    except OSError as error:
        yield f"{place}: {error.strerror}"
        return
    named = changelog_head(data)
    digests = [line.digest for line in past.lines]
    if named is None:
        yield f"{place}: it was edited: it names no entry of the history"
    elif named not in digests:
        yield (
            f"{place}: it names an entry that the history does not hold: the last entry was "
            "edited, or entries after it were removed"
        )
    # One that ends earlier was left by a killed process; the next command that writes fixes it.
    elif data != changelog_bytes(History(past.lines[: digests.index(named) + 1]), subject.name):
        yield f"{place}: it was edited, or belongs to another history"

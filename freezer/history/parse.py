"""From the lines of a history to its entries, and what binds them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from freezer.errors import HistoryError, Where
from freezer.model.generation import entry_digest, parse_entry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.model.generation import Checked, Generation

JOIN: Final = (
    "two branches made generations: settle which freeze.lock.yaml is to be current, "
    "then run `freeze log --join`"
)
RESTORE: Final = (
    "restore the file from version control; `freeze log --verify` says all that was edited"
)
_MARKERS: Final = (b"<<<<<<<", b"|||||||", b"=======", b">>>>>>>")


def is_marker(line: bytes) -> bool:
    """Say whether git wrote this line because it could not merge."""
    return line.startswith(_MARKERS)


def parse_entries(data: bytes, shown: str) -> tuple[Generation | Checked, ...]:
    """Return the entries in a history's bytes; nothing is said of what binds them.

    Raises ``HistoryError`` with the line that is no entry.
    """
    if data and not data.endswith(b"\n"):
        raise HistoryError(
            "the history ends in the middle of a line",
            where=Where(shown, data.count(b"\n") + 1),
            hint=RESTORE,
        )
    entries = []
    for number, line in enumerate(data.split(b"\n")[:-1], start=1):
        if is_marker(line):
            raise HistoryError(
                "the history holds git's conflict markers", where=Where(shown, number), hint=JOIN
            )
        entries.append(_parse(line, Where(shown, number)))
    return tuple(entries)


def _parse(line: bytes, where: Where) -> Generation | Checked:
    try:
        return parse_entry(line)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        found = f"{'.'.join(map(str, first['loc'][1:]))}: {first['msg']}"
    except (ValueError, RecursionError) as error:
        found = str(error)
    raise HistoryError(
        "the line is not an entry of a history",
        where=where,
        found=found,
        expected="what `freeze` wrote, to the byte",
        hint=RESTORE,
    )


def require_chain(entries: Sequence[Generation | Checked], shown: str) -> None:
    """Demand that each entry names entries before it, and that one alone is the last.

    Raises ``HistoryError`` naming the line of the first entry that was edited or does not follow.
    """
    for number, fault in broken_links(entries):
        raise HistoryError(fault, where=Where(shown, number), hint=RESTORE)
    if len(tips(entries)) > 1:
        raise HistoryError(
            "the history forks", where=Where(shown), details=_fork(entries), hint=JOIN
        )


def broken_links(entries: Sequence[Generation | Checked]) -> list[tuple[int, str]]:
    """Return the 1-based line of each entry that does not follow, and what is wrong with it.

    An entry without a predecessor begins a branch; two branches are a fork, which `tips` tells.
    """
    known: dict[str, int] = {}
    broken = []
    for number, entry in enumerate(entries, start=1):
        own = entry_digest(entry)
        if own in known:
            broken.append((number, f"the entry is the same as the one in line {known[own]}"))
        elif any(parent not in known for parent in entry.parents):
            broken.append((number, _lost(number)))
        known[own] = number
    return broken


def _lost(number: int) -> str:
    if number == 1:
        return "the entry follows one that is gone: entries before it were removed"
    return (
        f"the entry does not follow: the one before it (line {number - 1}) was edited, "
        "or entries were removed, added or swapped"
    )


def tips(entries: Sequence[Generation | Checked]) -> tuple[str, ...]:
    """Return the digests of the entries that no entry follows, in their order."""
    followed = {parent for entry in entries for parent in entry.parents}
    return tuple(own for own in map(entry_digest, entries) if own not in followed)


def _fork(entries: Sequence[Generation | Checked]) -> list[str]:
    last = set(tips(entries))
    found = []
    for number, entry in enumerate(entries, start=1):
        if entry_digest(entry) in last:
            found.append(f"line {number}: {entry.date}, lock {entry.lock_id[:12]}")
    return found

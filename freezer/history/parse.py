"""Parses a history: lines, entries, and the chain of their digests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from pydantic import ValidationError

from freezer.errors import HistoryError, Where
from freezer.model.canonical import digest
from freezer.model.generation import entry_line, parse_entry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.model.generation import Checked, Generation

JOIN: Final = (
    "two branches added generations: choose the freeze.lock.yaml to be current, "
    "then run `freeze log --join`"
)
RESTORE: Final = "restore the file from version control; `freeze log --verify` lists all edits"
_MARKERS: Final = (b"<<<<<<<", b"|||||||", b"=======", b">>>>>>>")


class Line(NamedTuple):
    """A line of a history with its digest, computed once."""

    entry: Generation | Checked
    data: bytes
    """The canonical form of the entry, without the line end."""
    digest: str
    """``sha256:`` and the SHA-256 of the data, by which later entries refer to it."""


def line_of(entry: Generation | Checked) -> Line:
    """Return the line of an entry."""
    return _line(entry, entry_line(entry))


def _line(entry: Generation | Checked, data: bytes) -> Line:
    return Line(entry, data, f"sha256:{digest(data)}")


def is_marker(line: bytes) -> bool:
    """Return whether a line is a conflict marker of git."""
    return line.startswith(_MARKERS)


def parse_lines(data: bytes, shown: str) -> tuple[Line, ...]:
    """Parse the lines of a history. Their chain is not verified: see `require_chain`.

    Raises ``HistoryError`` with the malformed line.
    """
    if data and not data.endswith(b"\n"):
        raise HistoryError(
            "the history ends in the middle of a line",
            where=Where(shown, data.count(b"\n") + 1),
            hint=RESTORE,
        )
    found = []
    for number, line in enumerate(data.split(b"\n")[:-1], start=1):
        if is_marker(line):
            raise HistoryError(
                "the history contains git's conflict markers", where=Where(shown, number), hint=JOIN
            )
        found.append(_parse(line, Where(shown, number)))
    return tuple(found)


def _parse(line: bytes, where: Where) -> Line:
    try:
        return _line(parse_entry(line), line)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        found = f"{'.'.join(map(str, first['loc'][1:]))}: {first['msg']}"
    except (ValueError, RecursionError) as error:
        found = str(error)
    raise HistoryError(
        "the line is not a history entry",
        where=where,
        found=found,
        expected="exactly the bytes that `freeze` wrote",
        hint=RESTORE,
    )


def require_chain(lines: Sequence[Line], shown: str) -> None:
    """Require that each entry follows entries before it, and that exactly one is the last.

    Raises ``HistoryError`` naming the line of the first entry that was edited or does not follow.
    """
    for number, fault in broken_links(lines):
        raise HistoryError(fault, where=Where(shown, number), hint=RESTORE)
    if len(tips(lines)) > 1:
        raise HistoryError("the history forks", where=Where(shown), details=_fork(lines), hint=JOIN)


def broken_links(lines: Sequence[Line]) -> list[tuple[int, str]]:
    """Return the 1-based number of each line that does not follow, with the reason.

    An entry without a predecessor starts a branch; two branches are a fork, which `tips` finds.
    """
    known: dict[str, int] = {}
    broken = []
    for number, (entry, _, own) in enumerate(lines, start=1):
        if own in known:
            broken.append((number, f"the entry is the same as the one in line {known[own]}"))
        elif any(parent not in known for parent in entry.parents):
            broken.append((number, _lost(number)))
        known[own] = number
    return broken


def _lost(number: int) -> str:
    if number == 1:
        return "the entry follows a missing one: entries before it were removed"
    return (
        f"the entry does not follow: the one before it (line {number - 1}) was edited, "
        "or entries were removed, added or swapped"
    )


def tips(lines: Sequence[Line]) -> tuple[str, ...]:
    """Return the digests of the entries without successors, in order."""
    followed = {parent for line in lines for parent in line.entry.parents}
    return tuple(line.digest for line in lines if line.digest not in followed)


def _fork(lines: Sequence[Line]) -> list[str]:
    last = set(tips(lines))
    return [
        f"line {number}: {entry.date}, lock {entry.lock_id[:12]}"
        for number, (entry, _, own) in enumerate(lines, start=1)
        if own in last
    ]

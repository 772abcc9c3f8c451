"""Joins two branches of a history, as left by a merge of git."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.errors import HistoryError, Where
from freezer.history.parse import broken_links, is_marker, parse_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from freezer.history.parse import Line


def united(data: bytes, shown: str) -> tuple[Line, ...]:
    """Return the lines of both sides without duplicates, each after its predecessors.

    Accepts a history with git's conflict markers, or the lines of both sides one after the other.
    No entry is changed, so generations of both sides may share a number. Raises ``HistoryError``
    when a line is no entry, or its predecessor is missing.
    """
    content = b"".join(line + b"\n" for line in _of_both_sides(data.split(b"\n")) if line)
    waiting = {line.digest: line for line in parse_lines(content, shown)}
    placed: dict[str, Line] = {}
    while waiting:
        ready = [own for own, one in waiting.items() if placed.keys() >= set(one.entry.parents)]
        if not ready:
            break
        # One at a time: an entry that follows the last one comes before another branch's.
        last = next(reversed(placed), None)
        own = next((own for own in ready if last in waiting[own].entry.parents), ready[0])
        placed[own] = waiting.pop(own)
    lines = (*placed.values(), *waiting.values())
    for number, fault in broken_links(lines):
        raise HistoryError(
            fault, where=Where(shown, number), hint="restore both sides from version control"
        )
    return lines


def _of_both_sides(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the lines without git's markers and without its copies of the common ancestor."""
    past = False
    for line in lines:
        if is_marker(line):
            past = line.startswith(b"|")
        elif not past:
            yield line

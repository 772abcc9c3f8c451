"""Folds lines and tables to the terminal's width at words, without truncation."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOM = 24
"""Minimum columns of the last cell of a row, to be folded next to the others."""
_HANG = 2
"""Additional indentation of continuation lines."""


class Screen(Console):
    """A console that folds long lines at words on a terminal, and not elsewhere.

    Words longer than a line, such as digests, are kept together, so that they can be copied.
    """

    def __init__(
        self, *, stderr: bool = False, file: IO[str] | None = None, **options: Any
    ) -> None:
        super().__init__(stderr=stderr, file=file, emoji=False, **options)

    def print(self, *objects: Any, **options: Any) -> None:
        """Print text, folded at words on a terminal; other renderables as in rich."""
        if len(objects) != 1 or not isinstance(objects[0], (str, Text)):
            super().print(*objects, **options)
            return
        if options.pop("no_wrap", False) or not self.is_terminal:
            super().print(*objects, **{**options, "soft_wrap": True})
            return
        text = self._text(objects[0], options)
        kept = {key: value for key, value in options.items() if key in ("end", "style")}
        lines = list(fold(text, self.width))
        for number, line in enumerate(lines, 1):
            more = kept if number == len(lines) else {**kept, "end": "\n"}
            super().print(line, soft_wrap=True, highlight=False, **more)

    def _text(self, value: Any, options: dict[str, Any]) -> Text:
        if isinstance(value, Text):
            return value
        markup = options.get("markup", True)
        return Text.from_markup(str(value), emoji=False) if markup else Text(str(value))


def fold(text: Text, width: int) -> Iterator[Text]:
    """Yield the lines of a text, folded at words, with continuation lines indented."""
    for line in text.split("\n", allow_blank=True) if text.plain else [text]:
        plain = line.plain
        indent = len(plain) - len(plain.lstrip(" "))
        yield from hanging(line, width, first=0, rest=min(indent + _HANG, width // 2))


def hanging(text: Text, width: int, *, first: int, rest: int) -> Iterator[Text]:
    """Yield the folded lines of one line, starting at columns ``first`` and ``rest``."""
    start = 0
    room = width - first
    while True:
        end, following = _break(text.plain, start, room)
        piece = text[start:end]
        piece.rstrip()
        if start:
            piece = Text(" " * rest).append_text(piece)
        yield piece
        if following >= len(text.plain):
            return
        start, room = following, max(width - rest, 1)


def _break(plain: str, start: int, room: int) -> tuple[int, int]:
    """Return the end of the line from ``start``, and the start of the next one."""
    if len(plain) - start <= room:
        return len(plain), len(plain)
    lead = start + len(plain[start:]) - len(plain[start:].lstrip(" "))  # it stays with its word
    space = plain.rfind(" ", lead, start + room + 1)
    if space <= lead:
        space = plain.find(" ", lead)
    if space < 0:
        return len(plain), len(plain)
    following = space
    while following < len(plain) and plain[following] == " ":
        following += 1
    return space, following


def row_lines(rows: list[list[Text]], width: int) -> Iterator[Text]:
    """Yield the lines of a table; no line is wider than ``width``, except for long words.

    The last column is folded in place. When it has no room, each row is folded as one line.
    """
    widths = [max(cell.cell_len for cell in column) for column in zip(*rows, strict=True)]
    left = sum(widths[:-1]) + 2 * (len(widths) - 1)
    longest = max((word for row in rows for word in map(len, row[-1].plain.split())), default=0)
    for row in rows:
        line = Text()
        for cell, cell_width in zip(row[:-1], widths, strict=False):
            line.append_text(cell).append(" " * (cell_width - cell.cell_len + 2))
        line.append_text(row[-1])
        if left + widths[-1] <= width:
            yield line
        elif width - left >= max(_ROOM, min(longest, width // 2)):
            yield from hanging(line, width, first=0, rest=left)
        else:
            yield from hanging(_joined(row), width, first=0, rest=4)


def _joined(row: list[Text]) -> Text:
    """Return a row's cells in one line, without alignment blanks."""
    line = Text()
    for number, cell in enumerate(row):
        line.append("  " if number else "").append_text(cell)
    return line

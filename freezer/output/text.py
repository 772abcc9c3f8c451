"""Small things that every output shares: sizes, tables, documents."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rich.text import Text

from freezer.errors import printable
from freezer.fetch.http.redact import redact

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

__all__ = ["document", "plural", "printable", "show_rows", "shown", "size", "ulps"]

_UNITS = ("B", "kB", "MB", "GB", "TB")


def size(count: int) -> str:
    """Return bytes as people read them: ``16.9 MB`` (powers of 1000, as registries count)."""
    value, unit = float(count), 0
    while value >= 1000 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{count} B" if unit == 0 else f"{value:.1f} {_UNITS[unit]}"


def plural(count: int, noun: str) -> str:
    """Return ``1 file`` or ``2 files``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def ulps(count: int) -> str:
    """Return a number of units in the last place; of millions only the magnitude counts."""
    return str(count) if count < 10**6 else f"{count:.1e}"


def shown(text: str) -> str:
    """Return others' words, of one line or several, fit for a terminal: printable, no passwords."""
    return "\n".join(printable(line) for line in redact(text).split("\n"))


def show_rows(rows: Iterable[tuple[str, ...]], console: Console) -> None:
    """Print rows of markup in aligned columns; a long last one runs on instead of being folded."""
    listed = [[Text.from_markup(cell) for cell in row] for row in rows]
    widths = [max(cell.cell_len for cell in column) for column in zip(*listed, strict=True)]
    for row in listed:
        line = Text()
        for cell, width in zip(row[:-1], widths, strict=False):
            line.append(cell).append(" " * (width - cell.cell_len + 2))
        console.print(line.append(row[-1]), highlight=False, soft_wrap=True)


def document(values: Any) -> str:
    """Return the one document that ``--json`` prints; what is not printable is escaped in it."""
    text = json.dumps(values, indent=2, ensure_ascii=False)
    if all(line.isprintable() for line in text.split("\n")):
        return text
    return "".join(one if one.isprintable() or one == "\n" else _escaped(one) for one in text)


def _escaped(one: str) -> str:
    return json.dumps(one)[1:-1]

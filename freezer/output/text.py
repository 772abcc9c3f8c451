"""Small things that every output shares: sizes, tables, documents."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable

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


def columns(rows: Iterable[tuple[str, ...]]) -> Table:
    """Return a bare table: no frame, no header, the last column folds."""
    listed = list(rows)
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    width = max((len(row) for row in listed), default=0)
    for index in range(width):
        table.add_column(no_wrap=index < width - 1, overflow="fold")
    for row in listed:
        table.add_row(*row)
    return table


def document(values: Any) -> str:
    """Return the one document that ``--json`` prints."""
    return json.dumps(values, indent=2, ensure_ascii=False)

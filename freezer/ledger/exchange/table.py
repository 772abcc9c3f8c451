"""Runs as a table: a row for each run, a column for each field. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.model.record.run import Run, Value


@dataclass(frozen=True)
class Table:
    """Typed cells; None if a run does not have the field."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Value | None, ...], ...]


def table(runs: Sequence[Run], columns: Sequence[str] | None = None) -> Table:
    """Return runs as a table, with the given columns or every field that any of them has."""
    values = [run.all_fields() for run in runs]
    names = tuple(columns or sorted({name for one in values for name in one}))
    return Table(names, tuple(tuple(one.get(name) for name in names) for one in values))


def exact(value: Value) -> str:
    """Return a value in full: a double reads back to the same bits, but for a NaN's payload."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return str(value).lower() if isinstance(value, bool) else str(value)

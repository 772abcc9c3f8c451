"""The page of results: what was measured, and which targets it meets."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from benchmarks.ledger.workload import PAGE, VALUES
from benchmarks.priority import FIRST

if TYPE_CHECKING:
    from collections.abc import Mapping

STORES: Final = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
EVERY_RUN: Final = "every run"
"""What the query without a filter is called."""
TIMES: Final = {"record a run": 15, "add 1,000 metrics": 25}
"""How many times faster than MLflow each is to be; queries 20 times."""

Took = tuple[float, ...]
"""Seconds of the wall clock, and of this process's CPU time."""


@dataclass
class Row:
    """One operation."""

    name: str
    target: float | None = None
    """Seconds that Freezer is to stay under."""
    query: bool = False
    freezer: list[Took] = field(default_factory=list)
    mlflow: list[Took] = field(default_factory=list)
    bound: list[Took] = field(default_factory=list)
    """Of a durable insert of one row by the driver alone."""
    process: tuple[float, float | None] | None = None
    found: tuple[int | None, int | None] = (None, None)
    """Runs that each side returned."""

    def seconds(self, took: list[Took], column: int = 0) -> float:
        """Return the time that counts: the best of a few reads, the median of writes."""
        values = [one[column] for one in took]
        return min(values) if self.target else median(values)

    @property
    def times(self) -> float | None:
        """How many times faster Freezer is."""
        return self.seconds(self.mlflow) / self.seconds(self.freezer) if self.mlflow else None

    @property
    def repeats(self) -> list[float]:
        """How many times faster it is in each repeat, in order of size."""
        return sorted(b[0] / a[0] for a, b in zip(self.freezer, self.mlflow, strict=False))

    @property
    def wanted(self) -> int | None:
        """How many times faster it is to be."""
        return 20 if self.query and self.mlflow else TIMES.get(self.name)


def report(measured: Mapping[str, Any], machine: str) -> str:
    """Return the page. ``measured`` has what was kept of each part, by ``STORE/PART``."""
    runs = sorted({one["runs"] for one in measured.values()})
    lines = [
        "# Ledger: results",
        "",
        f"Measured on {machine}.",
        (
            f"Both hold {' or '.join(f'{one:,}' for one in runs)} runs of {VALUES} values and "
            f"return whole runs, at most {PAGE:,}. "
            "Written by `run.py`, which says what is measured."
        ),
        "",
    ]
    for store, title in STORES.items():
        parts = {
            name.partition("/")[2]: one
            for name, one in measured.items()
            if name.startswith(f"{store}/")
        }
        lines += _section(title, parts) if parts else []
    return "\n".join(lines)


def _section(title: str, parts: Mapping[str, Any]) -> list[str]:
    large = parts.get("large", {"large": {}, "metrics": 0})
    rows = [Row(**row) for part in parts.values() for row in part.get("rows", ())]
    settings = [part["settings"] for part in parts.values() if "settings" in part]
    lines = [f"## {title}", ""]
    if settings:
        ours, theirs = settings[0]
        lines += [
            f"Durability: Freezer `{ours}`, MLflow `{theirs}`. Milliseconds (CPU of the process).",
            "",
        ]
    head = ["", "Freezer", "MLflow", "times", "as a process: Freezer", "MLflow"]
    head.append(f"Freezer with {large['metrics']:,} metric rows (in turns with it)")
    lines += [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    lines += [
        f"| {' | '.join(_cells(row, large['large'].get(row.name)))} |"
        for row in sorted(rows, key=lambda row: row.query)
    ]
    lines += ["", *[text for row in rows if (text := _bound(row))]]
    missed = [text for row in rows for text in _missed(row, large["large"].get(row.name))]
    lines += ["Every target is met." if not missed else f"Missed: {'; '.join(missed)}.", ""]
    return [*lines, *_dates(parts), ""]


def _dates(parts: Mapping[str, Any]) -> list[str]:
    """Return when each part was measured, those of the same day and load together."""
    together: dict[str, list[str]] = {}
    for name, part in parts.items():
        together.setdefault(_when(part), []).append(f"`{name}`")
    return [f"- {', '.join(names)}: {when}" for when, names in together.items()]


def _when(part: Mapping[str, Any]) -> str:
    """Return when a part was measured, and how busy the machine was."""
    quiet = part["idle"]
    busy = "" if quiet > 0.9 else "; others used it as well, so both sides are slower than alone"
    how = FIRST if part["first"] else ""
    return f"{part['date']}, CPUs idle for {quiet:.0%} right before{how}{busy}"


def _bound(row: Row) -> str:
    if not row.bound:
        return ""
    low, *_, high = row.repeats
    bound, ours = row.seconds(row.bound), row.seconds(row.freezer)
    return (
        f"- {row.name}: {low:.1f} to {high:.1f} times in {len(row.repeats)} repeats. A durable "
        f"insert of one row by the driver alone took {bound * 1000:.1f} ms, in turns with both; "
        f"Freezer adds {(ours - bound) * 1000:.1f} ms to it, "
        f"MLflow {(row.seconds(row.mlflow) - bound) * 1000:.1f} ms."
    )


def _cells(row: Row, large: list[float] | None) -> list[str]:
    name = f"`{row.name}`" if row.query and row.name != EVERY_RUN else row.name
    if row.found[0] is not None:
        name += f" ({row.found[0]:,} runs)"
    times = "" if row.times is None else f"{row.times:.0f}"
    process = ["", ""]
    if row.process:
        process = ["" if one is None else f"{one * 1000:.0f}" for one in row.process]
    many = "" if large is None else f"{large[0] * 1000:.1f} ({large[1] * 1000:.1f})"
    theirs = _cell(row, row.mlflow) if row.mlflow else "cannot be said"
    return [name, _cell(row, row.freezer), theirs, times, *process, many]


def _cell(row: Row, took: list[Took]) -> str:
    return f"{row.seconds(took) * 1000:.1f} ({row.seconds(took, 1) * 1000:.1f})"


def _missed(row: Row, large: list[float] | None) -> list[str]:
    seconds, found = row.seconds(row.freezer), []
    if row.wanted and row.times is not None and row.times < row.wanted:
        found.append(f"{row.name}: {row.times:.1f} times, not {row.wanted}")
    if row.target and seconds >= row.target:
        found.append(f"{row.name}: {seconds:.3f} s, not {row.target}")
    if large is not None:
        bound = 2 * (row.target or large[1])
        if large[0] > bound:
            found.append(f"{row.name} in the large ledger: {large[0]:.4f} s, not {bound:.4f}")
    return found

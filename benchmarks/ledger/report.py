"""The page of results: what was measured, and which targets it meets."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from benchmarks.ledger.workload import PAGE, VALUES
from benchmarks.priority import FIRST
from freezer import __version__
from freezer.inside.freezer_inside.fingerprint import cpu_info

Took = tuple[float, ...]
"""Seconds of the wall clock, and of this process's CPU time."""
TIMES = {"record a run": 15, "add 1,000 metrics": 25}
"""How many times faster than MLflow each is to be; queries 20 times."""


@dataclass
class Row:
    """One operation."""

    name: str
    target: float | None = None
    """Seconds that Freezer is to stay under."""
    query: bool = False
    freezer: list[Took] = field(default_factory=list)
    mlflow: list[Took] = field(default_factory=list)
    process: tuple[float, float | None] | None = None
    found: tuple[int | None, int | None] = (None, None)
    """Runs that each side returned."""
    large: float | None = None
    """Seconds in the large ledger."""
    beside: float | None = None
    """Seconds in the small one, in turns with it."""

    def seconds(self, took: list[Took], column: int = 0) -> float:
        """Return the time that counts: the best of a few reads, the median of writes."""
        values = [one[column] for one in took]
        return min(values) if self.target else median(values)

    @property
    def times(self) -> float | None:
        """How many times faster Freezer is."""
        return self.seconds(self.mlflow) / self.seconds(self.freezer) if self.mlflow else None

    @property
    def wanted(self) -> int | None:
        """How many times faster it is to be."""
        return 20 if self.query and self.mlflow else TIMES.get(self.name)


@dataclass
class Section:
    """One kind of database."""

    title: str
    settings: tuple[str, str]
    rows: list[Row] = field(default_factory=list)
    large: int = 0
    """Rows of metrics of the large ledger."""


def report(sections: list[Section], mlflow: str, runs: int, quiet: float, *, first: bool) -> str:
    """Return the page."""
    facts = cpu_info(Path("/proc/cpuinfo").read_text())
    lines = [
        "# Ledger: results",
        "",
        (
            f"Measured on {datetime.now(UTC):%Y-%m-%d} on {os.cpu_count()} cores of "
            f"{facts.get('model name', 'an unknown CPU')}, with Freezer {__version__}, MLflow "
            f"{mlflow}, Python {platform.python_version()}."
        ),
        (
            f"Both hold {runs:,} runs of {VALUES} values and return whole runs, at most {PAGE:,}. "
            "Written by `run.py`, which says what is measured."
        ),
        f"Right before, the CPUs were idle for {quiet:.0%} of the time"
        + (FIRST if first else "")
        + ("." if quiet > 0.9 else ". The machine was busy, so both sides are slower than alone."),
        "",
    ]
    for section in sections:
        lines += _section(section)
    return "\n".join(lines)


def _section(section: Section) -> list[str]:
    ours, theirs = section.settings
    head = ["", "Freezer", "MLflow", "times", "as a process: Freezer", "MLflow"]
    head.append(f"Freezer with {section.large:,} metric rows (in turns with it)")
    lines = [
        f"## {section.title}",
        "",
        f"Durability: Freezer `{ours}`, MLflow `{theirs}`. Milliseconds (CPU of the process).",
        "",
        f"| {' | '.join(head)} |",
        f"|{' --- |' * len(head)}",
    ]
    rows = sorted(section.rows, key=lambda row: row.query)
    lines += [f"| {' | '.join(_cells(row))} |" for row in rows]
    missed = [text for row in section.rows for text in _missed(row)]
    lines += ["", "Every target is met." if not missed else f"Missed: {'; '.join(missed)}.", ""]
    return lines


def _cells(row: Row) -> list[str]:
    name = f"`{row.name}`" if row.query and row.name != "every run" else row.name
    if row.found[0] is not None:
        name += f" ({row.found[0]:,} runs)"
    times = "" if row.times is None else f"{row.times:.0f}"
    process = ["", ""]
    if row.process:
        process = ["" if one is None else f"{one * 1000:.0f}" for one in row.process]
    large = "" if row.large is None else f"{row.large * 1000:.1f}"
    if row.beside is not None:
        large += f" ({row.beside * 1000:.1f})"
    theirs = _cell(row, row.mlflow) if row.mlflow else "cannot be said"
    return [name, _cell(row, row.freezer), theirs, times, *process, large]


def _cell(row: Row, took: list[Took]) -> str:
    return f"{row.seconds(took) * 1000:.1f} ({row.seconds(took, 1) * 1000:.1f})"


def _missed(row: Row) -> list[str]:
    seconds, found = row.seconds(row.freezer), []
    if row.wanted and row.times is not None and row.times < row.wanted:
        found.append(f"{row.name}: {row.times:.1f} times, not {row.wanted}")
    if row.target and seconds >= row.target:
        found.append(f"{row.name}: {seconds:.3f} s, not {row.target}")
    if row.large is not None:
        bound = 2 * (row.target or row.beside or seconds)
        if row.large > bound:
            found.append(f"{row.name} in the large ledger: {row.large:.4f} s, not {bound:.4f}")
    return found

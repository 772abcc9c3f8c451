"""How the image benchmark's figures are put into words."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.image.bounds import Bounds
    from freezer.engine.interface import Engine
    from freezer.model.lock import Lock

COLUMNS = ("cold", "unchanged", "a small package", "a heavy package")


class Row:
    """What one way took, by column; of several runs the best."""

    def __init__(self, way: str) -> None:
        self.way = way
        self.seconds: dict[str, float] = {}
        self.shares: dict[str, dict[str, float]] = {}
        """Freezer's own account, by column and kind of work."""

    def add(self, column: str, seconds: float, shares: dict[str, float] | None = None) -> None:
        """Take one run, and print it."""
        print(f"  {self.way}, {column}: {seconds:.1f} s", flush=True)
        if seconds < self.seconds.get(column, seconds + 1):
            self.seconds[column] = seconds
            self.shares[column] = shares or {}

    def cells(self, other: Row) -> str:
        """Return the row's cells; another way's figures come beside how many times ``other``'s."""
        return " | ".join(
            f"{self.seconds[column]:.1f} s"
            + ("" if self is other else f" ({self.seconds[column] / other.seconds[column]:.1f}x)")
            for column in COLUMNS
        )


def shares(mine: Row) -> list[str]:
    """Return a table of Freezer's own account of its time."""
    columns = ("cold", "a small package", "a heavy package")
    kinds = sorted(
        {kind for column in columns for kind in mine.shares[column]},
        key=lambda kind: -mine.shares["cold"].get(kind, 0.0),
    )
    lines = [f"| what | {' | '.join(columns)} |", "| --- | --- | --- | --- |"]
    for kind in kinds:
        cells = [f"{mine.shares[column].get(kind, 0.0):.1f} s" for column in columns]
        lines.append(f"| {kind} | {' | '.join(cells)} |")
    return lines


def bounded(bounds: Bounds, mine: Row, lock: Lock, size: int) -> str:
    """Return the paragraph that says how far a cold build is from what the machine can do."""
    packed = sum(package.size for package in lock.pip)
    least = bounds.cold(packed, size)
    return (
        f"One core here hashes {bounds.sha256 / 1e6:.0f} MB/s (SHA-256) and inflates "
        f"{bounds.inflate / 1e6:.0f} MB/s; the engine loads {bounds.load / 1e6:.0f} MB/s. "
        f"{packed / 1e6:.0f} MB of wheels and {size / 1e6:.0f} MB of layers make {least:.1f} s, "
        f"one step after another; compiling byte code comes on top. A cold build takes "
        f"{mine.seconds['cold'] / least:.1f} times that."
    )


def report(engine: Engine, rows: list[Row], said_of: tuple[list[str], int], last: str) -> str:
    """Return RESULTS.md; ``said_of`` are the packages and the image's bytes."""
    packages, size = said_of
    info = engine.info
    builder = "BuildKit" if info.buildkit else "classic"
    said = (
        f"{datetime.now(UTC):%Y-%m-%d}; {platform.machine()}, {os.cpu_count()} CPUs, {info.name} "
        f"{info.version} ({info.storage_driver}, {builder}), Python {platform.python_version()}. "
        f"{', '.join(packages)}; the image has {size / 1e9:.2f} GB. Cold and heavy are one run "
        "each, the others the best of two or three, each with another small change. Freezer's "
        "times hold verification and canonical form; the others have neither. All compile byte "
        "code, Freezer that of all but the packages' own test suites."
    )
    mine = rows[0]
    lines = [
        "# Building an image of 1 GB",
        "",
        said,
        "",
        f"| way | {' | '.join(COLUMNS)} |",
        f"| --- |{' --- |' * len(COLUMNS)}",
        *(f"| {row.way} | {row.cells(mine)} |" for row in rows),
        "",
        "In brackets: how many times Freezer's. Run it: `python -m benchmarks image`.",
        "",
        "## Where Freezer's time goes",
        "",
        *shares(mine),
        "",
        "## What bounds it",
        "",
        last,
        "",
    ]
    return "\n".join(lines)

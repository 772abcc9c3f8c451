"""The page of results: a row for each command, beside the peer and the earlier installation."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

from benchmarks.start.commands import COMMANDS
from freezer import __version__
from freezer.inside.freezer_inside.fingerprint import cpu_info

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.start.count import Counts

PEER: Final = "import pydantic, yaml"
AIM: Final = 4.0
"""Times the peer that a command may take."""
_COLUMNS: Final = (
    "command", "CPU", "times the peer", "wall clock", "before: CPU", "times faster", "modules",
    "calls", "instructions", "before: instructions",
)  # fmt: skip


@dataclass
class Taken:
    """What the starts of one command took, in seconds."""

    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)


def report(
    found: Mapping[str, Taken],
    counts: Mapping[str, Counts],
    instructions: Mapping[str, int | None],
    quiet: float,
) -> str:
    """Return the page; ``quiet`` is the share of the CPUs that was idle right before."""
    peer = found["peer"]
    measured = _millions(instructions["peer"])
    lines = [
        "# Start: results",
        "",
        f"Measured on {datetime.now(UTC):%Y-%m-%d} on {_machine()}.",
        f"Medians of {len(peer.cpu)} starts in turns, in seconds; instructions are in millions, in",
        "user space, by callgrind. Written by `run.py`, which says what is measured.",
        f"Right before, the CPUs were idle for {quiet:.0%} of the time"
        + ("." if quiet > 0.9 else ": the machine was busy, so CPU time says more."),
        "",
        f"`python -c '{PEER}'` takes {median(peer.cpu):.3f} of CPU, {median(peer.wall):.3f} of the",
        f"wall clock{f', {measured} instructions' if measured else ''}. A command may take at most",
        f"{AIM:.0f} times as much CPU.",
        "",
        f"| {' | '.join(_COLUMNS)} |",
        f"|{' --- |' * len(_COLUMNS)}",
    ]
    for name, words in COMMANDS.items():
        taken, before = found[name], found.get(f"before {name}")
        row = [
            f"`freeze {' '.join(words)}`",
            f"{median(taken.cpu):.3f}",
            f"{_ratio(taken, peer):.1f}",
            f"{median(taken.wall):.3f}",
            f"{median(before.cpu):.3f}" if before else "",
            f"{_ratio(before, taken):.1f}" if before else "",
            str(counts[name].modules),
            f"{counts[name].calls:,}",
            _millions(instructions[name]),
            _millions(instructions.get(f"before {name}")),
        ]
        lines.append(f"| {' | '.join(row)} |")
    return "\n".join([*lines, ""])


def _ratio(one: Taken, other: Taken) -> float:
    """Return the median of the ratios of CPU times within each round."""
    return median(a / b for a, b in zip(one.cpu, other.cpu, strict=True))


def _millions(value: int | None) -> str:
    return "" if value is None else f"{value / 1e6:,.0f}"


def _machine() -> str:
    cpu = cpu_info(Path("/proc/cpuinfo").read_text()).get("model name", platform.processor())
    versions = ", ".join(f"{one} {version(one)}" for one in ("pydantic", "typer", "rich", "PyYAML"))
    return (
        f"{os.cpu_count()} cores of {cpu}, with Freezer {__version__}, "
        f"Python {platform.python_version()}, {versions}"
    )

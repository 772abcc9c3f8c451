"""Compare ``freeze lock`` with bare uv and pip-compile on the same inputs, cold and warm.

    python -m benchmarks.lock.run [--runs 5] [--without-pip-compile]

Needs the index that pip is configured with, and a container engine. Writes ``RESULTS.md`` beside
this file.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.lock.tools import Tool, ToolError, bare_uv, freeze_lock, pip_compile
from freezer.fetch.config import Config
from freezer.fetch.python.settings import indexes

HERE = Path(__file__).parent
REAL = HERE.parents[1] / "tests" / "data" / "requirements"
INPUTS = {
    "classic": HERE / "inputs" / "classic.in",
    "openai/whisper": REAL / "openai-whisper.txt",
    "ultralytics/yolov5": REAL / "ultralytics-yolov5.txt",
}
COLD = 3
"""Runs with empty caches, of which the median counts."""
DOWNLOADS = frozenset({"classic"})
"""Inputs that pip-compile is asked for: it downloads every wheel to hash it."""


@dataclass(frozen=True)
class Row:
    """One tool on one input: seconds, None where it was not asked or failed."""

    source: str
    tool: str
    cold: float | None
    warm: float | None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="warm runs, of which the median counts")
    parser.add_argument("--without-pip-compile", action="store_true", help="it takes minutes")
    options = parser.parse_args()
    index = indexes(Config()).index_url or ""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as scratch:
        for name, source in INPUTS.items():
            folder = Path(scratch) / source.stem
            tools = [
                bare_uv(source, folder / "uv", index, given_python=False),
                bare_uv(source, folder / "uv-python", index, given_python=True),
                freeze_lock(source, folder / "freeze", index),
            ]
            if name in DOWNLOADS and not options.without_pip_compile:
                tools.append(pip_compile(source, folder / "pip-tools", index))
            rows += measure(name, tools, options.runs, folder)
    text = report(rows)
    (HERE / "RESULTS.md").write_text(text)
    print(text)


def measure(name: str, tools: list[Tool], runs: int, folder: Path) -> list[Row]:
    """Run tools with empty caches, then with full ones; in turns, as the machine's load varies."""
    cold: dict[str, list[float]] = {tool.title: [] for tool in tools}
    warm: dict[str, list[float]] = {tool.title: [] for tool in tools}
    for turn in range(COLD + runs):
        for tool in tools:
            kind, number = (cold, turn) if turn < COLD else (warm, 0)
            if len(kind[tool.title]) >= _wanted(tool, kind is cold, runs):
                continue
            try:
                kind[tool.title].append(tool.run(folder / f"caches-{tool.title}-{number}"))
            except ToolError as error:
                print(error)
    rows = [Row(name, t.title, _median(cold[t.title]), _median(warm[t.title])) for t in tools]
    for row in rows:
        print(
            f"{name}: {row.tool}: {_seconds(row.cold)} cold, {_seconds(row.warm)} warm", flush=True
        )
    return rows


def _wanted(tool: Tool, cold: bool, runs: int) -> int:
    """Return how many runs of a kind count; of the slowest tool fewer."""
    if tool.title.startswith("pip-compile"):
        return 1 if cold else 2
    return COLD if cold else runs


def _median(seconds: list[float]) -> float | None:
    return statistics.median(seconds) if seconds else None


def report(rows: list[Row]) -> str:
    """Return the results as Markdown."""
    lines = [
        "# Locking: results",
        "",
        f"Measured on {datetime.now(UTC):%Y-%m-%d} on {_machine()}, with {_versions()}.",
        "Medians, in seconds. Written by `run.py`; [README.md](README.md) says what is measured.",
        "",
        "| input | tool | cold | warm | warm, times uv's |",
        "|---|---|---:|---:|---:|",
    ]
    bare = {row.source: row.warm for row in rows if row.tool == "uv pip compile"}
    for row in rows:
        base = bare.get(row.source)
        ratio = f"{row.warm / base:.2f}" if row.warm and base else "-"
        cells = [row.source, f"`{row.tool}`", _seconds(row.cold), _seconds(row.warm), ratio]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def _seconds(value: float | None) -> str:
    return "failed" if value is None else f"{value:.2f}"


def _versions() -> str:
    tools = ", ".join(f"{name} {version(name)}" for name in ("uv", "pip", "pip-tools"))
    load = f"a load of {os.getloadavg()[1]:.1f} over the last five minutes"
    return f"Python {platform.python_version()}, {tools}, and {load}"


def _machine() -> str:
    model = "an unknown processor"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        names = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = f"{len(names)} cores of {names[0].partition(': ')[2]}" if names else model
    return model


if __name__ == "__main__":
    main()

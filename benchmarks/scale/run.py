"""Time commands in a project with many generations and environments.

    python -m benchmarks.scale [--generations 100 300 1000] [--environments 50] [--runs 5]

For each size a project is written by Freezer's own functions: one environment with that many
generations, each of another lock and with a check, among others with one generation. Every command
is typed ``runs`` times; the median of its CPU seconds and of the wall clock counts. ``images`` and
``check --all --dry-run`` need an engine, whose images they list. Writes ``RESULTS.md`` next to this
file.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final

from benchmarks.kept import idle
from benchmarks.scale.project import LONG, make_project
from freezer import __version__
from freezer.inside.freezer_inside.fingerprint import cpu_info

HERE: Final = Path(__file__).parent
AIM: Final = 1.0
"""Seconds of a command at the largest size."""
COMMANDS: Final = {
    "log": ("log", LONG),
    "check --all --dry-run": ("check", LONG, "--all", "--dry-run"),
    "images": ("images",),
    "log, of another environment": ("log", "env-001"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--generations", type=int, nargs="+", default=[100, 300, 1000])
    parser.add_argument("--environments", type=int, default=50)
    parser.add_argument("--runs", type=int, default=5, help="of each, of which the median counts")
    options = parser.parse_args()
    quiet = idle()
    found = {
        size: measure(size, options.environments, options.runs) for size in options.generations
    }
    text = report(found, options.environments, options.runs, quiet)
    (HERE / "RESULTS.md").write_text(text)
    print(text)


def measure(generations: int, environments: int, runs: int) -> dict[str, tuple[float, float]]:
    """Return the medians of CPU seconds and the wall clock's seconds of each command."""
    with tempfile.TemporaryDirectory(prefix="freezer-scale-") as scratch:
        project = make_project(Path(scratch) / "project", generations, environments)
        environment = {**os.environ, "FREEZER_STORE": str(project.store.root)}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        return {
            title: timed([sys.executable, "-m", "freezer", *words], project.root, environment, runs)
            for title, words in COMMANDS.items()
        }


def timed(
    command: list[str], folder: Path, environment: dict[str, str], runs: int
) -> tuple[float, float]:
    taken = []
    for turn in range(runs + 1):
        started = perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"{' '.join(command)} ended with {process.returncode}")
        if turn:  # the first one may write byte code
            taken.append((usage.ru_utime + usage.ru_stime, perf_counter() - started))
    return median(cpu for cpu, _ in taken), median(wall for _, wall in taken)


def report(
    found: dict[int, dict[str, tuple[float, float]]], environments: int, runs: int, quiet: float
) -> str:
    sizes = list(found)
    cpu = cpu_info(Path("/proc/cpuinfo").read_text()).get("model name", "an unknown CPU")
    heads = [f"{size}: CPU | {size}: wall clock" for size in sizes]
    lines = [
        "# Many generations and environments",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, Freezer {__version__}, {os.cpu_count()} cores of {cpu}.",
        f"Seconds, medians of {runs}, by the generations of one environment among {environments}.",
        f"The aim is {AIM:.0f} second at the largest size, and time in proportion to it. Right",
        f"before, the CPUs were idle for {quiet:.0%} of the time. Written by `run.py`.",
        "",
        f"| command | {' | '.join(heads)} |",
        f"|{' --- |' * (2 * len(sizes) + 1)}",
    ]
    for title in COMMANDS:
        cells = [f"{one:.2f}" for size in sizes for one in found[size][title]]
        lines.append(f"| `{title}` | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()

"""What the table of measured facts costs a command, in CPU time.

    python -m benchmarks.atlas.cost [--runs 15]

Each command runs in a fresh process with the table, and with a module in its place that knows
nothing; the two take turns, and the least of the runs counts, so that what else a machine does is
in none of them. Of an audit only the part is run that reads the table: trainings take seconds.
Writes COST.md; exits 1 when a command takes 20 ms more.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.atlas.environments import ROOT
from benchmarks.atlas.write import cpu

if TYPE_CHECKING:
    from collections.abc import Mapping

LIMIT: Final = 0.020
"""Seconds."""
_AUDIT: Final = """
from pathlib import Path
from freezer.check.audit.documented import notes
from freezer.model.lockfile import parse_lock
path = Path("lockfiles/{name}/freeze.lock.yaml")
print(len(notes(parse_lock(path.read_bytes(), str(path)))))
"""
_RUN: Final = "from freezer.cli.main import run\nrun({words!r})\n"
_WITHOUT: Final = """
import sys, types
table = types.ModuleType("freezer.frameworks.atlas.table")
table.sheet = lambda package: None
table.changed_streams = lambda *versions: ()
table.covers = lambda *versions: False
table.packages = lambda: ()
table.locked_versions = lambda lock, names: {item.name: item.version for item in lock.pip}
sys.modules["freezer.frameworks.atlas.table"] = table
"""
COMMANDS: Final[Mapping[str, str]] = {
    "freeze --help": _RUN.format(words=["--help"]),
    "freeze status": _RUN.format(words=["status"]),
    "freeze log boosting": _RUN.format(words=["log", "boosting"]),
    "freeze diff boosting 1 2": _RUN.format(words=["diff", "boosting", "1", "2"]),
    "freeze diff sklearn-cpu torch-cpu": _RUN.format(words=["diff", "sklearn-cpu", "torch-cpu"]),
    "freeze why torch-cpu numpy": _RUN.format(words=["why", "torch-cpu", "numpy"]),
    "freeze lock --check torch-cpu": _RUN.format(words=["lock", "--check", "torch-cpu"]),
    "freeze audit torch-cpu, without its trainings": _AUDIT.format(name="torch-cpu"),
    "freeze audit sklearn-cpu, without its trainings": _AUDIT.format(name="sklearn-cpu"),
}
"""Title to the program; each runs in the repository."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.atlas.cost", description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    found = {title: _least(code, runs) for title, code in COMMANDS.items()}
    for title, (without, full) in found.items():
        print(f"{title}: {without * 1000:.0f} ms, {full * 1000:.0f} ms with the table")
    _write(found, runs)
    return 1 if any(full - without > LIMIT for without, full in found.values()) else 0


def _least(code: str, runs: int) -> tuple[float, float]:
    """Return the least CPU time (seconds) of a program without the table, and with it."""
    pairs = [(_seconds(_WITHOUT + code), _seconds(code)) for _ in range(runs)]
    return min(one for one, _ in pairs), min(other for _, other in pairs)


def _seconds(code: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "100"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def _write(found: Mapping[str, tuple[float, float]], runs: int) -> None:
    head = ["command", "without the table", "with the table", "difference"]
    lines = [head, ["---", "--:", "--:", "--:"]]
    for title, (without, full) in found.items():
        times = [f"{seconds * 1000:.0f} ms" for seconds in (without, full, full - without)]
        lines.append([f"`{title}`", *times])
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    text = f"""# What the atlas costs a command

<!-- Written by `python -m benchmarks.atlas.cost`. -->

CPU time of a fresh process, the least of {runs} runs each, on {cpu()},
{datetime.now(UTC):%Y-%m-%d}.

{table}
"""
    (Path(__file__).parent / "COST.md").write_text(text)


if __name__ == "__main__":
    sys.exit(main())

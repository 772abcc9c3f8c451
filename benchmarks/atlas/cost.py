"""What the table of measured facts costs a command, in instructions.

    python -m benchmarks.atlas.cost

Each command runs in a fresh process with the table, and with a module in its place that knows
nothing; valgrind's callgrind counts what each executes, which no other load of a machine changes.
Times follow from the time that as many instructions take without it. Of an audit only the part is
run that reads the table: its trainings take seconds. Writes COST.md; exits 1 when a command takes
20 ms more.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.atlas.environments import ROOT
from benchmarks.atlas.write import cpu

if TYPE_CHECKING:
    from collections.abc import Mapping

LIMIT: Final = 0.020
"""Seconds."""
RUNS: Final = 5
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


@dataclass(frozen=True)
class Cost:
    """What one command takes."""

    without: int
    """Instructions without the table."""
    full: int
    """Instructions with it."""
    seconds: float
    """CPU time with it, the least of some runs."""

    @property
    def more(self) -> float:
        """The seconds that the table adds."""
        return (self.full - self.without) * self.seconds / self.full


def main() -> int:
    found = {}
    for title, code in COMMANDS.items():
        times = [_seconds(code) for _ in range(RUNS)]
        found[title] = Cost(_instructions(_WITHOUT + code), _instructions(code), min(times))
        print(f"{title}: {found[title].more * 1000:.1f} ms more", flush=True)
    _write(found)
    return 1 if any(one.more > LIMIT for one in found.values()) else 0


def _instructions(code: str) -> int:
    program = shutil.which("valgrind")
    if program is None:
        raise SystemExit("valgrind is not installed (on Debian: apt-get install valgrind)")
    tool = ["nice", program, "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    done = subprocess.run(
        [*tool, sys.executable, "-c", code],
        cwd=ROOT,
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    match = re.search(r"Collected : (\d+)", done.stderr)
    if match is None:
        raise SystemExit(f"callgrind counted nothing: {done.stderr[-200:]}")
    return int(match[1])


def _seconds(code: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def _environment() -> dict[str, str]:
    return {**os.environ, "COLUMNS": "100", "PYTHONHASHSEED": "0"}


def _write(found: Mapping[str, Cost]) -> None:
    head = ["command", "instructions without the table", "with it", "more", "about"]
    lines = [head, ["---", "--:", "--:", "--:", "--:"]]
    for title, one in found.items():
        counts = [f"{count / 1e6:.0f} million" for count in (one.without, one.full)]
        more = f"{(one.full - one.without) / 1e6:.1f} million"
        lines.append([f"`{title}`", *counts, more, f"{one.more * 1000:.1f} ms"])
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    text = f"""# What the atlas costs a command

<!-- Written by `python -m benchmarks.atlas.cost`. -->

Instructions of a fresh process in user space, and the CPU time that the additional ones take, on
{cpu()}, {datetime.now(UTC):%Y-%m-%d}.

{table}
"""
    (Path(__file__).parent / "COST.md").write_text(text)


if __name__ == "__main__":
    sys.exit(main())

"""Time ``freeze log``, ``freeze diff`` and ``freeze rollback`` on sixty generations of a real lock.

    python -m benchmarks.history.run [--generations 60] [--runs 5]

Needs a container engine for the dry run, which asks it for the image. Writes ``RESULTS.md`` beside
this file.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from freezer import __version__
from freezer.check.assess import Assessment
from freezer.check.reference import read_reference, reference_path, references, write_reference
from freezer.fetch.config import Config
from freezer.fetch.store.store import Store
from freezer.flows.check.record import record_check
from freezer.flows.check.result import CheckResult
from freezer.flows.history.generations import locked_of, record_generation
from freezer.flows.history.opened import open_history
from freezer.flows.project.environment import Locked, read_lock
from freezer.flows.project.project import Project
from freezer.flows.rollback.compose import compose_switch
from freezer.model.events import SilentReporter
from freezer.model.exports.requirements_txt import REQUIREMENTS_FILE, requirements_text
from freezer.model.lockfile import LOCK_FILE, lock_bytes, lock_id
from freezer.model.record.verdict import Basis, Verdict, Word

if TYPE_CHECKING:
    from freezer.model.record.record import Record

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NAME = "sklearn-cpu"
COMMANDS = {
    "freeze log": ["log", NAME],
    "freeze log --verify": ["log", "--verify", NAME],
    "freeze diff": ["diff", NAME],
    "freeze why": ["why", NAME, "numpy"],
    "freeze rollback --dry-run": ["rollback", "--dry-run", NAME],
}


@dataclass(frozen=True)
class Row:
    """What something took, in seconds, each time."""

    title: str
    seconds: tuple[float, ...]
    busy: tuple[float, ...] = ()
    """Of the processor."""

    def __str__(self) -> str:
        busy = f"{statistics.median(self.busy):.2f}" if self.busy else ""
        middle, least = statistics.median(self.seconds), min(self.seconds)
        return f"| {self.title} | {middle:.2f} | {least:.2f} | {busy} |"


class Tags:
    """As much of an engine as a switch asks for."""

    def tag(self, *_: str) -> None:
        """Do nothing."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--generations", type=int, default=60)
    parser.add_argument("--runs", type=int, default=5, help="of which the median counts")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        project = _project(Path(scratch))
        started = monotonic()
        record = _fill(project, options.generations)
        each = (monotonic() - started) / options.generations
        rows = [Row("recording a generation and its check", (each,))]
        for title, arguments in COMMANDS.items():
            rows.append(_timed(project, f"`{title}`", arguments, options.runs))
        switches = [_switch(project, record, options.generations) for _ in range(options.runs)]
        rows.append(Row("switch", tuple(switches)))
        size = sum(one.stat().st_size for one in project.root.rglob("*") if one.is_file())
    text = _report(rows, options.generations, size)
    (HERE / "RESULTS.md").write_text(text)
    print(text)


def _project(scratch: Path) -> Project:
    project = scratch / "project"
    shutil.copytree(ROOT / "images" / NAME, project / "images" / NAME)
    shutil.copytree(
        ROOT / "lockfiles" / NAME,
        project / "lockfiles" / NAME,
        ignore=shutil.ignore_patterns("history", "CHANGELOG.md"),
    )
    engine: Any = Tags()
    store = Store.open(scratch / "store")
    return Project(project, Config(), store, lambda: engine, SilentReporter())


def _fill(project: Project, count: int) -> Record:
    """Make the generations, each a day after the one before and checked; return the last record."""
    first = _current(project)
    [class_] = references(first.folder)
    kept = read_reference(reference_path(first.folder, class_), class_)
    assert kept is not None
    for day in range(count):
        moment = f"2026-{1 + day // 28:02}-{1 + day % 28:02}T00:00:00Z"
        lock = first.lock.model_copy(update={"as_of": moment})
        data = lock_bytes(lock)
        with open_history(project, NAME) as opened:
            (first.folder / REQUIREMENTS_FILE).write_text(requirements_text(lock))
            (first.folder / LOCK_FILE).write_bytes(data)
            summary = f"as-of: to {moment}"
            record_generation(opened, _current(project), action="lock", summary=summary)
            # No image is there that could be looked at.
            kept = kept.model_copy(update={"lock_id": lock_id(data), "inventory": None})
            write_reference(first.folder, kept)
        record_check(project, _current(project), kept, Word.IDENTICAL)
    return kept


def _current(project: Project) -> Locked:
    found = read_lock(project.root, NAME)
    assert found is not None
    return found


def _timed(project: Project, title: str, arguments: list[str], runs: int) -> Row:
    seconds, busy = [], []
    command = [sys.executable, "-m", "freezer", "-C", str(project.root), *arguments]
    for _ in range(runs):
        started, before = monotonic(), os.times()
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={**os.environ, "FREEZER_STORE": str(project.store.root)},
        )
        after = os.times()
        seconds.append(monotonic() - started)
        spent = (after.children_user, after.children_system)
        busy.append(sum(spent) - before.children_user - before.children_system)
        assert done.returncode == 0, f"{' '.join(arguments)}: {done.stdout}{done.stderr}"
    return Row(title, tuple(seconds), tuple(busy))


def _switch(project: Project, record: Record, count: int) -> float:
    """Go to another generation as `freeze rollback` does after the check; return the seconds."""
    with open_history(project, NAME) as opened:
        past, now = opened.past, _current(project)
        target = past.find(1 if past.find(count).lock_id == now.id else count)
        locked = locked_of(project, NAME, target)
        verdict = Verdict(word=Word.IDENTICAL, trainings=())
        found = Assessment(record=record, expected=record, verdict=verdict, basis=Basis.REFERENCE)
        result = CheckResult(locked=locked, image=record.image, assessment=found, reference="")
        started = monotonic()
        opened.switch(
            compose_switch(project, past, target, locked, result, (), reason=None, deviation=False)
        )
        return monotonic() - started


def _report(rows: list[Row], count: int, size: int) -> str:
    """Return the results as Markdown."""
    versions = f"Freezer {__version__}, Python {platform.python_version()}"
    load = f"a load of {os.getloadavg()[1]:.1f} over the last five minutes"
    lines = [
        "# History: results",
        "",
        f"Measured on {datetime.now(UTC):%Y-%m-%d} on {_machine()}, with {versions}, and {load}.",
        f"{count} generations, each checked; {size / 1e6:.0f} MB on disk. In seconds.",
        "Written by `run.py`; [README.md](README.md) says what is measured.",
        "",
        "| what | median | least | of the processor |",
        "|---|---:|---:|---:|",
        *map(str, rows),
        "",
    ]
    return "\n".join(lines)


def _machine() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    names = [line for line in lines if line.startswith("model name")]
    return (
        f"{len(names)} cores of {names[0].partition(': ')[2]}" if names else "an unknown processor"
    )


if __name__ == "__main__":
    main()

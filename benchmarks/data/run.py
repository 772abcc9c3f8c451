"""Time `freeze data status` beside plain hashing, and again beside a bare walk.

    python -m benchmarks.data [--files 100000] [--large 10 --size 1024] [--dvc PROGRAM] [--first]

Two sets: many small files, and a few large ones (MB each). First: nothing is known of the set,
beside `find | xargs -P2 sha256sum`. Again: nothing changed, beside one `stat` of each file. The
files are read once before, so that all have them in the page cache. With `--dvc` also `dvc add`
and `dvc status` of that program. All are whole commands as they are typed in the project's folder:
their starts count. The bare walk pays the start of Python, `freeze` that of a command as well: both
starts have a row, and of a few files the second look is little else. Each takes its turn several
times, and the best one counts; `dvc add` takes one. The wall clock, and CPU seconds of all
processes. With `--first` all of them go before what others run; it needs root. Writes `RESULTS.md`
next to this file.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from benchmarks.kept import idle
from benchmarks.priority import FIRST
from freezer import __version__
from freezer.inside.freezer_inside.fingerprint import cpu_info

HERE = Path(__file__).parent
SPEC = """name: demo
base: {bootstrap: bookworm}
python: "3.11"
data: {set: set}
"""
WALK = """
import os, sys
def walk(folder):
    with os.scandir(folder) as entries:
        for entry in entries:
            status = entry.stat(follow_symlinks=False)
            if entry.is_dir(follow_symlinks=False):
                walk(entry.path)
walk(sys.argv[1])
"""
ROWS = {
    "hashes": "`find | xargs -P2 sha256sum`",
    "first": "`freeze data status`, first",
    "dvc first": "`dvc add`",
    "walk": "bare walk with `stat`",
    "again": "`freeze data status`, again",
    "dvc again": "`dvc status`",
    "python": "start of Python: `python -c pass`",
    "start": "start of the command: `freeze --version`",
}
TARGETS = (
    ("first, times the plain hashes", "first", "hashes", "1.2"),
    ("again, times the bare walk", "again", "walk", "1.5"),
    ("`dvc add`, times the first", "dvc first", "first", "5"),
    ("`dvc status`, times the second", "dvc again", "again", "5"),
)
TURNS = 3
Took = dict[str, tuple[float, float]]
"""Wall clock and CPU seconds by row."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--large", type=int, default=10)
    parser.add_argument("--size", type=int, default=1024, help="MB of each large file")
    parser.add_argument("--dvc", help="the program, such as /tmp/venv/bin/dvc")
    parser.add_argument("--first", action="store_true", help="go before what others run")
    options = parser.parse_args()
    quiet, found = idle(), {}
    if options.first:
        os.setpriority(os.PRIO_PROCESS, 0, -20)
    with tempfile.TemporaryDirectory() as scratch:
        small = Path(scratch) / "small"
        _small(small / "set", options.files)
        found[f"{options.files:,} small files"] = _measure(small, options.dvc)
        large = Path(scratch) / "large"
        _large(large / "set", options.large, options.size)
        found[f"{options.large} files of {options.size} MB"] = _measure(large, options.dvc)
    text = _report(found, quiet, FIRST if options.first else "", options.dvc)
    (HERE / "RESULTS.md").write_text(text)
    print(text)


def _small(folder: Path, count: int) -> None:
    for number in range(count):
        path = folder / f"{number // 1000:04}" / f"{number:07}.txt"
        if number % 1000 == 0:
            path.parent.mkdir(parents=True)
        path.write_bytes(b"%07d" % number * (50 + number % 200))


def _large(folder: Path, count: int, size: int) -> None:
    folder.mkdir(parents=True)
    for number in range(count):
        block = os.urandom(1 << 20)  # DVC keeps equal files once
        with (folder / f"{number}.bin").open("wb") as stream:
            for _ in range(size):
                stream.write(block)


def _measure(project: Path, dvc: str | None) -> Took:
    (project / "freeze.yaml").write_text(SPEC)
    store = project / "store"
    environment = {**os.environ, "FREEZER_STORE": str(store)}
    files = sum(len(names) for _, _, names in os.walk(project / "set"))
    each = max(1, min(512, files // 2))  # of ten files five for each process
    commands = {
        "hashes": ["sh", "-c", f"find set -type f -print0 | xargs -0 -P2 -n {each} sha256sum"],
        "first": [sys.executable, "-m", "freezer", "data", "status"],
        "walk": [sys.executable, "-c", WALK, "set"],
        "again": [sys.executable, "-m", "freezer", "data", "status"],
        "python": [sys.executable, "-c", "pass"],
        "start": [sys.executable, "-m", "freezer", "--version"],
    }
    _timed(commands["hashes"], project, environment)  # into the page cache
    os.sync()
    took: dict[str, list[tuple[float, float]]] = {row: [] for row in commands}
    for _ in range(TURNS):
        shutil.rmtree(store, ignore_errors=True)
        for row in ("hashes", "first"):
            took[row].append(_timed(commands[row], project, environment))
    _timed(commands["again"], project, environment)  # files younger than 2 s were read again
    for _ in range(TURNS * 3):
        for row in ("walk", "again", "python", "start"):
            took[row].append(_timed(commands[row], project, environment))
    if dvc:
        for words in (["git", "init", "-q"], [dvc, "init", "-q"]):
            subprocess.run(words, cwd=project, check=True, capture_output=True)
        took["dvc first"] = [_timed([dvc, "add", "-q", "set"], project, environment)]
        status = [dvc, "status", "-q"]
        took["dvc again"] = [_timed(status, project, environment) for _ in range(TURNS)]
    return {row: min(times) for row, times in took.items()}


def _timed(command: list[str], folder: Path, environment: dict[str, str]) -> tuple[float, float]:
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), monotonic()
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
    took, after = monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _report(found: dict[str, Took], quiet: float, how: str, dvc: str | None) -> str:
    facts = cpu_info(Path("/proc/cpuinfo").read_text())
    lines = [
        "# Data: results",
        "",
        (
            f"Measured on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC on {os.cpu_count()} cores of "
            f"{facts.get('model name', 'an unknown CPU')}, with Freezer {__version__}, Python "
            f"{sys.version.split()[0]}, {_version('sha256sum')}"
            + (f", DVC {_version(dvc)}." if dvc else ".")
        ),
        (
            "Written by `run.py`, which says what is measured. Seconds of the wall clock and, in "
            "brackets, of CPU time."
        ),
        f"Right before, the CPUs were idle for {quiet:.0%} of the time{how}"
        + ("." if quiet > 0.9 else ". The machine was busy, so all times are longer than alone."),
        "",
        f"| | {' | '.join(found)} |",
        f"| --- |{' --- |' * len(found)}",
    ]
    for row, title in ROWS.items():
        cells = [
            f"{took[row][0]:.2f} ({took[row][1]:.2f})" if row in took else "not measured"
            for took in found.values()
        ]
        if any(row in took for took in found.values()):
            lines.append(f"| {title} | {' | '.join(cells)} |")
    for title, one, other, wanted in TARGETS:
        cells = [_times(took, one, other) for took in found.values()]
        lines.append(f"| {title} (wanted: {wanted}) | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def _version(program: str) -> str:
    done = subprocess.run([program, "--version"], check=True, capture_output=True, text=True)
    return done.stdout.splitlines()[0]


def _times(took: Took, one: str, other: str) -> str:
    """Return how many times another one a row takes, by the wall clock and by CPU."""
    if one not in took or other not in took:
        return "not measured"
    wall, cpu = (took[one][place] / took[other][place] for place in (0, 1))
    return f"{wall:.2f} ({cpu:.2f})"


if __name__ == "__main__":
    main()

"""Time `freeze data status` beside plain hashing, and again beside a bare walk.

    python -m benchmarks.data [--files 100000] [--large 4 --size 1024] [--dvc PROGRAM]

Two sets: many small files, and a few large ones (MB each). First: nothing is known of the set,
beside `find | xargs -P2 sha256sum`. Again: nothing changed, beside one `stat` of each file. The
files are read once before, so that all have them in the page cache. With `--dvc` also `dvc add`
and `dvc status` of that program. CPU seconds of all processes, and the wall clock. Writes
`RESULTS.md` next to this file.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from benchmarks.kept import idle
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
}
Took = dict[str, tuple[float, float]]
"""Wall clock and CPU seconds by row."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--large", type=int, default=4)
    parser.add_argument("--size", type=int, default=1024, help="MB of each large file")
    parser.add_argument("--dvc", help="the program, such as /tmp/venv/bin/dvc")
    options = parser.parse_args()
    quiet, found = idle(), {}
    with tempfile.TemporaryDirectory() as scratch:
        small = Path(scratch) / "small"
        _small(small / "set", options.files)
        found[f"{options.files:,} small files"] = _measure(small, options.dvc)
        large = Path(scratch) / "large"
        _large(large / "set", options.large, options.size)
        found[f"{options.large} files of {options.size} MB"] = _measure(large, options.dvc)
    text = _report(found, quiet)
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
    block = os.urandom(1 << 20)
    for number in range(count):
        with (folder / f"{number}.bin").open("wb") as stream:
            for _ in range(size):
                stream.write(block)


def _measure(project: Path, dvc: str | None) -> Took:
    (project / "freeze.yaml").write_text(SPEC)
    environment = {**os.environ, "FREEZER_STORE": str(project / "store")}
    status = [sys.executable, "-m", "freezer", "-C", str(project), "data", "status"]
    hashes = ["sh", "-c", "find set -type f -print0 | xargs -0 -P2 -n 512 sha256sum"]
    _timed(hashes, project, environment)  # into the page cache
    os.sync()
    took = {"hashes": _timed(hashes, project, environment)}
    took["first"] = _timed(status, project, environment)
    _timed(status, project, environment)  # files younger than two seconds were read again
    walk = [sys.executable, "-c", WALK, "set"]
    took["walk"] = _timed(walk, project, environment)
    took["again"] = _timed(status, project, environment)
    if dvc:
        for words in (["git", "init", "-q"], [dvc, "init", "-q"]):
            subprocess.run(words, cwd=project, check=True, capture_output=True)
        took["dvc first"] = _timed([dvc, "add", "-q", "set"], project, environment)
        took["dvc again"] = _timed([dvc, "status", "-q"], project, environment)
    return took


def _timed(command: list[str], folder: Path, environment: dict[str, str]) -> tuple[float, float]:
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), monotonic()
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
    took, after = monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _report(found: dict[str, Took], quiet: float) -> str:
    facts = cpu_info(Path("/proc/cpuinfo").read_text())
    lines = [
        "# Data: results",
        "",
        (
            f"Measured on {datetime.now(UTC):%Y-%m-%d} on {os.cpu_count()} cores of "
            f"{facts.get('model name', 'an unknown CPU')}, with Freezer {__version__}, Python "
            f"{sys.version.split()[0]}."
        ),
        (
            "Written by `run.py`, which says what is measured. Seconds of the wall clock and, in "
            "brackets, of CPU time."
        ),
        f"Right before, the CPUs were idle for {quiet:.0%} of the time"
        + ("." if quiet > 0.9 else ": the machine was busy, so CPU time says more."),
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
    for name, one, other in (("first", "first", "hashes"), ("again", "again", "walk")):
        ratios = [f"{took[one][1] / took[other][1]:.2f}" for took in found.values()]
        lines.append(f"| {name}: CPU, times the plain one | {' | '.join(ratios)} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()

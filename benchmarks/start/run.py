"""Time commands that have little to do, beside the import of what every one of them needs.

    python -m benchmarks.start [--runs 15] [--before FREEZE] [--instructions] [--record]

Each round starts every command once, so that other load meets all; the peer is
`python -c 'import pydantic, yaml'`. CPU seconds of the process, and the wall clock. `--before`
names the `freeze` of another installation, such as one of an earlier commit, that takes part in the
same rounds. `--instructions` counts with valgrind's callgrind, which takes a minute for each
command. `--record` writes the counts that the tests hold into `counts.json`. Writes `RESULTS.md`
next to this file.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from time import perf_counter

from benchmarks.kept import idle
from benchmarks.start.commands import COMMANDS, GUARDED, make_project, surroundings
from benchmarks.start.count import Counts, count
from benchmarks.start.report import PEER, Taken, report

HERE = Path(__file__).parent
COUNTS = HERE / "counts.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15, help="of each, of which the median counts")
    parser.add_argument("--before", type=Path, help="the freeze of another installation")
    parser.add_argument("--instructions", action="store_true", help="count them with valgrind")
    parser.add_argument("--record", action="store_true", help="write counts.json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = make_project(Path(scratch) / "project")
        environment = surroundings(Path(scratch))
        counts = {
            name: count(words, folder, environment, Path(scratch) / "counts")
            for name, words in COMMANDS.items()
        }
        if options.record:
            record(counts)
        quiet = idle()
        wanted = _processes(options.before)
        found = _rounds(wanted, folder, environment, options.runs)
        instructions = {
            name: _instructions(words, folder, environment) if options.instructions else None
            for name, words in wanted.items()
        }
    text = report(found, counts, instructions, quiet)
    (HERE / "RESULTS.md").write_text(text)
    print(text)


def recorded() -> dict[str, Counts]:
    """Return the counts that the tests hold, by command; none for another minor of Python."""
    known = json.loads(COUNTS.read_text()).get(_python(), {})
    return {name: Counts(**one) for name, one in known.items()}


def record(counts: dict[str, Counts]) -> None:
    """Write the counts of this minor of Python; those of others stay."""
    document = json.loads(COUNTS.read_text()) if COUNTS.is_file() else {}
    document[_python()] = {name: asdict(counts[name]) for name in GUARDED}
    COUNTS.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n")


def _python() -> str:
    return ".".join(platform.python_version_tuple()[:2])


def _processes(before: Path | None) -> dict[str, list[str]]:
    """Return every process that takes part in a round, by name."""
    wanted = {"peer": [sys.executable, "-c", PEER]}
    wanted |= {name: [sys.executable, "-m", "freezer", *words] for name, words in COMMANDS.items()}
    if before is not None:
        earlier = str(before.absolute())
        wanted |= {f"before {name}": [earlier, *words] for name, words in COMMANDS.items()}
    return wanted


def _rounds(
    wanted: dict[str, list[str]], folder: Path, environment: dict[str, str], runs: int
) -> dict[str, Taken]:
    found = {name: Taken() for name in wanted}
    for turn in range(runs + 1):
        for name, words in wanted.items():
            cpu, wall = _timed(words, folder, environment)
            if turn:  # the first start of each may write byte code
                found[name].cpu.append(cpu)
                found[name].wall.append(wall)
    return found


def _timed(words: list[str], folder: Path, environment: dict[str, str]) -> tuple[float, float]:
    """Return the CPU seconds and the wall clock's seconds of a process that ends well."""
    started = perf_counter()
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(words, cwd=folder, env=environment, stdout=quiet, stderr=quiet)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(words)} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime, perf_counter() - started


def _instructions(words: list[str], folder: Path, environment: dict[str, str]) -> int | None:
    """Return the instructions that a process executes in user space, by callgrind.

    Priority does not change them, so that others go first.
    """
    program = shutil.which("valgrind")
    if program is None:
        raise SystemExit("valgrind is not installed (on Debian: apt-get install valgrind)")
    done = subprocess.run(
        ["nice", "-n", "19", program, "--tool=callgrind", "--callgrind-out-file=/dev/null", *words],
        cwd=folder, env=environment, check=False, capture_output=True, text=True,
    )  # fmt: skip
    match = re.search(r"Collected : (\d+)", done.stderr)
    return int(match[1]) if match else None


if __name__ == "__main__":
    main()

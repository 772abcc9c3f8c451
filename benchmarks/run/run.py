"""Time `freeze run` beside a bare `docker run` of the same command in the same image.

    python -m benchmarks.run [--runs 7] [--seconds 0 --seconds 20] [--first]

Needs the image of `sklearn-cpu` (`freeze build`) and docker's own client. The command computes for
a fixed number of rounds, chosen so that it takes about as long as asked for, and prints how long it
took by its own clock; both ways have the same CPUs, mounts and user. They take turns, each first
every second time, so that other load meets both. Medians of the wall clock: of the whole, of what
is around the command, and of the command itself, whose time varies more than what is added. Also
the CPU seconds of `freeze run` itself. With `--first` both ways, and their containers, go before
all else that runs; it needs root. Writes `RESULTS.md` next to this file.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import monotonic

from benchmarks.check.run import machine
from benchmarks.kept import idle
from benchmarks.priority import FIRST, WEIGHT, first
from freezer.engine.connect.connect import connect
from freezer.flows.project.environment import load_locked

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NAME = "sklearn-cpu"
ADDED, SHARE = 0.6, 0.02
"""Seconds, and the share of the command's own time, that `freeze run` may add."""
ROUNDS = 12_000_000
"""Rounds of the loop that take about a second."""
CODE = """
import sys
from time import monotonic
started, total = monotonic(), 0
for number in range(int(sys.argv[1])):
    total += number & 7
print(total, monotonic() - started)
"""


@dataclass
class Way:
    """One way to run the command, in seconds a time."""

    whole: list[float] = field(default_factory=list)
    command: list[float] = field(default_factory=list)
    """By the command's own clock."""
    own: list[float] = field(default_factory=list)
    """CPU of the process that starts it, without the container's."""

    @property
    def around(self) -> float:
        """The median of what is around the command."""
        return median(one - two for one, two in zip(self.whole, self.command, strict=True))


@dataclass
class Measured:
    """One length of the command."""

    bare: Way = field(default_factory=Way)
    freeze: Way = field(default_factory=Way)

    @property
    def added(self) -> float:
        """Seconds that `freeze run` adds around the command."""
        return self.freeze.around - self.bare.around

    @property
    def slower(self) -> float:
        """The share by which the command itself takes longer."""
        bare = median(self.bare.command)
        return median(self.freeze.command) / bare - 1 if bare > 1 else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7, help="of each, of which the median counts")
    parser.add_argument("--seconds", type=float, action="append", help="of the command")
    parser.add_argument("--first", action="store_true", help="go before what others run")
    options = parser.parse_args()
    engine = connect()
    with tempfile.TemporaryDirectory() as scratch:
        project = _project(Path(scratch) / "project")
        locked = load_locked(project, NAME)
        image = engine.image(f"{NAME}:{locked.id[:12]}")
        if image is None:
            raise SystemExit(f"there is no image of {NAME}; run `freeze build {NAME}`")
        quiet = idle()
        with first(options.first):
            found = [
                _measure(project, image.id, seconds, options.runs, weight=options.first)
                for seconds in options.seconds or (0.0, 10.0)
            ]
    text = _report(found, machine(engine), quiet, how=FIRST if options.first else "")
    (HERE / "RESULTS.md").write_text(text)
    print(text)


def _project(project: Path) -> Path:
    """Return a project of a hundred files of code under git, as a small one has."""
    for part in ("images", "lockfiles"):
        shutil.copytree(ROOT / part / NAME, project / part / NAME)
    for number in range(100):
        (project / f"module{number}.py").write_text(f"VALUE = {number}\n" * 50)
    (project / "train.py").write_text(CODE)
    git = ["git", "-C", str(project), "-c", "user.name=b", "-c", "user.email=b@example.org"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "first"]):
        subprocess.run([*git, *words], check=True)
    return project


def _measure(project: Path, image: str, seconds: float, runs: int, *, weight: bool) -> Measured:
    words = ["python", "train.py", str(int(seconds * ROUNDS))]
    output = project.parent / "output"
    output.mkdir(exist_ok=True)
    bare = [
        "docker", "run", "--rm", "--network", "none", "--read-only", "--cap-drop", "ALL",
        "--user", f"{os.getuid()}:{os.getgid()}", "--workdir", "/code", "--tmpfs", "/tmp",
        "-v", f"{project}:/code:ro", "-v", f"{output}:/output", "--entrypoint", "",
        *(["--cpu-shares", str(WEIGHT)] if weight else []), image, *words,
    ]  # fmt: skip
    freeze = [sys.executable, "-m", "freezer", "-C", str(project), "run", NAME, "--", *words]
    found = Measured()
    for command in (freeze, bare):  # the first ones warm what is read
        _time(command, Way())
    for number in range(runs):
        turn = [(bare, found.bare), (freeze, found.freeze)]
        for command, way in turn if number % 2 else reversed(turn):
            _time(command, way)
    return found


def _time(command: list[str], way: Way) -> None:
    """Run a command, and add what it took."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), monotonic()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    way.whole.append(monotonic() - started)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    way.own.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    way.command.append(float(done.stdout.split()[1]))


def _report(found: list[Measured], here: str, quiet: float, *, how: str) -> str:
    lines = [
        "# Run: results",
        "",
        f"Measured on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC on {here}.",
        (
            f"Medians of {len(found[0].bare.whole)}, in seconds. Written by `run.py`, which says "
            "what is measured."
        ),
        f"Right before, the CPUs were idle for {quiet:.0%} of the time{how}"
        + ("." if quiet > 0.9 else ". The machine was busy, so all times are longer than alone."),
        "",
        (
            "| command | `docker run` | `freeze run` | around the command: `docker` | `freeze` "
            "| added | the command itself, slower by | CPU of `freeze` |"
        ),
        "|" + " --- |" * 8,
    ]
    lines += [
        f"| {median(one.bare.command):.2f} | {median(one.bare.whole):.2f} "
        f"| {median(one.freeze.whole):.2f} | {one.bare.around:.2f} | {one.freeze.around:.2f} "
        f"| {one.added:.2f} | {one.slower:.1%} | {median(one.freeze.own):.2f} |"
        for one in found
    ]
    missed = [one for one in found if one.added > ADDED or one.slower > SHARE]
    lines += ["", f"Allowed are {ADDED} s around the command, and {SHARE:.0%} of it."]
    lines += ["Both are kept." if not missed else f"Missed in {len(missed)} of {len(found)}.", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    main()

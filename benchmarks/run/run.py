"""Time `freeze run` beside a bare `docker run` of the same command in the same image.

    python -m benchmarks.run [--runs 7] [--seconds 0 --seconds 20]

Needs the image of `sklearn-cpu` (`freeze build`) and docker's own client. The command computes for
a fixed number of rounds, chosen so that it takes about as long as asked for; both ways have the
same CPUs, mounts and user. They take turns, so that other load meets both. Medians of the wall
clock, and the CPU seconds of `freeze run` itself. Writes `RESULTS.md` next to this file.
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
total = 0
for number in range(int(sys.argv[1])):
    total += number & 7
print(total)
"""


@dataclass
class Measured:
    """One length of the command, in seconds."""

    asked: float
    bare: list[float] = field(default_factory=list)
    freeze: list[float] = field(default_factory=list)
    own: list[float] = field(default_factory=list)
    """CPU seconds of `freeze run` itself, without the container's."""

    @property
    def added(self) -> float:
        """What `freeze run` adds: the median of the differences of neighbours."""
        return median(one - other for one, other in zip(self.freeze, self.bare, strict=True))

    @property
    def allowed(self) -> float:
        """What it may add."""
        return ADDED + SHARE * median(self.bare)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7, help="of each, of which the median counts")
    parser.add_argument("--seconds", type=float, action="append", help="of the command")
    options = parser.parse_args()
    engine = connect()
    with tempfile.TemporaryDirectory() as scratch:
        project = _project(Path(scratch) / "project")
        locked = load_locked(project, NAME)
        image = engine.image(f"{NAME}:{locked.id[:12]}")
        if image is None:
            raise SystemExit(f"there is no image of {NAME}; run `freeze build {NAME}`")
        quiet = idle()
        found = [
            _measure(project, image.id, seconds, options.runs)
            for seconds in options.seconds or (0.0, 10.0)
        ]
    text = _report(found, machine(engine), quiet)
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


def _measure(project: Path, image: str, seconds: float, runs: int) -> Measured:
    words = ["python", "train.py", str(int(seconds * ROUNDS))]
    output = project.parent / "output"
    output.mkdir(exist_ok=True)
    bare = [
        "docker", "run", "--rm", "--network", "none", "--read-only", "--cap-drop", "ALL",
        "--user", f"{os.getuid()}:{os.getgid()}", "--workdir", "/code", "--tmpfs", "/tmp",
        "-v", f"{project}:/code:ro", "-v", f"{output}:/output", "--entrypoint", "", image,
        *words,
    ]  # fmt: skip
    freeze = [sys.executable, "-m", "freezer", "-C", str(project), "run", NAME, "--", *words]
    found = Measured(seconds)
    for command in (freeze, bare):  # the first ones warm what is read
        _timed(command)
    for _ in range(runs):
        found.bare.append(_timed(bare)[0])
        took, own = _timed(freeze)
        found.freeze.append(took)
        found.own.append(own)
    return found


def _timed(command: list[str]) -> tuple[float, float]:
    """Return the wall clock's seconds and the CPU seconds of a command."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), monotonic()
    subprocess.run(command, check=True, capture_output=True)
    took, after = monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _report(found: list[Measured], here: str, quiet: float) -> str:
    lines = [
        "# Run: results",
        "",
        f"Measured on {datetime.now(UTC):%Y-%m-%d} on {here}.",
        (
            f"Medians of {len(found[0].bare)}, in seconds. Written by `run.py`, which says what is "
            "measured."
        ),
        f"Right before, the CPUs were idle for {quiet:.0%} of the time"
        + ("." if quiet > 0.9 else ": the machine was busy, so wall-clock times vary."),
        "",
        "| `docker run` | `freeze run` | added | allowed | CPU of `freeze` |",
        "| --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {median(one.bare):.2f} | {median(one.freeze):.2f} | {one.added:.2f} "
        f"| {one.allowed:.2f} | {median(one.own):.2f} |"
        for one in found
    ]
    lines += ["", f"Allowed are {ADDED} s and {SHARE:.0%} of the command.", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    main()

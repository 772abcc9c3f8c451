"""Kill `freeze run` at many moments, or fill its disk, and count what was reported and lost.

    python -m benchmarks.run.killed PROJECT ENV [--moments 40] [--full]
    python -m benchmarks.run.killed PROJECT ENV --from 6 --to 12 --seconds 8.5    # a part of it

PROJECT is a folder with a locked and built environment; its ledger is written to. Each run reports
a metric every 50 ms and prints its number, so that what was reported before the kill is known. With
``--full`` the project has to be on a small file system, which the training then fills.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

TRAINING: Final = """
import json, os, sys, time
for step in range(int(sys.argv[1])):
    line = {"training": "t", "kind": "metric", "name": "m", "step": step, "value": step}
    print("::freezer:: " + json.dumps(line))
    print("step", step, flush=True)
    time.sleep(0.05)
open(os.environ["FREEZER_OUTPUT"] + "/model", "w").write("x" * 1000)
"""
FILL: Final = """
import json, os
stream = open(os.environ["FREEZER_OUTPUT"] + "/full", "wb", buffering=0)
for step in range(10 ** 6):
    line = {"training": "t", "kind": "metric", "name": "m", "step": step, "value": step}
    print("::freezer:: " + json.dumps(line), flush=True)
    try:
        stream.write(b"x" * (1 << 20))
    except OSError:
        break
print("step", step, flush=True)
"""
STEPS: Final = 60
STEP: Final = 0.05
"""Seconds."""
SLACK: Final = 1.6
"""Seconds of metrics that a kill may cost: they are kept once a second."""


class LossError(AssertionError):
    """Something that was reported is not in the ledger."""


def freeze(project: Path, *words: str) -> list[str]:
    """Return the command line of Freezer in a project."""
    return [sys.executable, "-P", "-m", "freezer", "-C", str(project), *words]


def answer(project: Path, *words: str) -> Any:
    """Return the document that a command prints."""
    done = subprocess.run(
        freeze(project, *words, "--json"), check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout)


def runs_of(project: Path, number: int) -> list[Any]:
    """Return the runs with a number; a ledger without any run knows no parameter to ask for."""
    found = answer(project, "runs", "list", "-n", "100000")["runs"]
    return [one for one in found if one["fields"].get("params.moment") == number]


def start(project: Path, environment: str, number: int) -> subprocess.Popen[str]:
    """Start a run that has a number as its parameter."""
    words = ("run", environment, "-p", f"moment={number}", "--", "python", "-c", TRAINING)
    return subprocess.Popen(
        freeze(project, *words, str(STEPS)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def kill_at(
    project: Path, environment: str, number: int, seconds: float, *, training: bool
) -> tuple[str, int]:
    """Kill a run so many seconds after its start, or after its training printed its first step.

    Return the state that it was recorded in, and how many steps are recorded.
    """
    process = start(project, environment, number)
    if training and process.stdout is not None:
        process.stdout.readline()
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    printed = process.communicate()[0].count("step ") + training
    found = runs_of(project, number)
    if len(found) > 1:
        raise LossError(f"moment {number}: recorded {len(found)} times")
    if not found:
        if printed:
            raise LossError(f"moment {number}: printed {printed} steps, and is not recorded")
        return "not begun", 0
    run = answer(project, "runs", "show", found[0]["id"])
    if run["state"] not in {"interrupted", "finished"}:
        raise LossError(f"moment {number}: recorded as {run['state']}")
    steps = run["series"].get("metrics.m", {}).get("steps", [])
    least = printed - int(SLACK / STEP)
    if steps != list(range(len(steps))) or len(steps) < least:
        raise LossError(f"moment {number}: {len(steps)} of {printed} steps are recorded")
    return run["state"], len(steps)


def whole(project: Path, environment: str) -> float:
    """Return how many seconds a run takes that nobody kills."""
    began = time.monotonic()
    process = start(project, environment, -1)
    process.communicate()
    if process.returncode:
        raise SystemExit("the run that nobody kills fails")
    return time.monotonic() - began


def require_kept(project: Path, before: dict[str, Any]) -> dict[str, Any]:
    """Demand that every earlier run is recorded as it was; return all of them."""
    now = {one["id"]: one for one in answer(project, "runs", "list", "-n", "100000")["runs"]}
    for identifier, run in before.items():
        if now.get(identifier) != run:
            raise LossError(f"run {identifier} is not what it was")
    return now


def killed(project: Path, environment: str, moments: int, part: range, took: float) -> Counter[str]:
    """Kill runs at moments; return how they were recorded.

    One half of the moments is spread over the time that a whole run takes, the other half over the
    training and the recording of its end: how long a start takes varies with the machine's load.
    """
    known = require_kept(project, {})
    states: Counter[str] = Counter()
    for number in part:
        share = (number // 2 + 0.5) / (moments / 2)
        training = bool(number % 2)
        seconds = share * (STEPS * STEP + 1.0 if training else took)
        state, steps = kill_at(project, environment, number, seconds, training=training)
        states[state] += 1
        known = require_kept(project, known)
        since = "the first step" if training else "the start"
        print(
            f"{number:>3}  {seconds:5.2f} s after {since:<15} {state:<12} {steps} steps", flush=True
        )
    journals = [path.name for path in (project / ".freezer" / "journal").iterdir()]
    if journals:
        raise LossError(f"left behind: {', '.join(journals)}")
    return states


def full(project: Path, environment: str) -> str:
    """Run a training that fills the disk; return how it was recorded."""
    known = require_kept(project, {})
    done = subprocess.run(
        freeze(project, "run", environment, "-p", "moment=-2", "--", "python", "-c", FILL),
        capture_output=True,
        text=True,
        check=False,
    )
    reported = int(done.stdout.split()[-1]) + 1
    space = os.statvfs(project)
    [run] = runs_of(project, -2)
    for path in (project / ".freezer" / "runs" / run["id"] / "output").iterdir():
        path.unlink()
    require_kept(project, known)
    series = answer(project, "runs", "show", run["id"])["series"]["metrics.m"]
    if series["steps"] != list(range(reported)):
        raise LossError(f"{len(series['steps'])} of {reported} steps are recorded")
    left = space.f_bavail * space.f_frsize
    return f"{run['state']}, {reported} of {reported} steps, {left} bytes were free at the end"


def main() -> None:
    """Print how the runs were recorded; end with an error where anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("project", type=Path)
    parser.add_argument("environment")
    parser.add_argument("--moments", type=int, default=40)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--from", type=int, default=0, dest="first")
    parser.add_argument("--to", type=int, dest="end")
    parser.add_argument("--seconds", type=float, help="how long a whole run takes")
    given = parser.parse_args()
    if given.full:
        print("disk full:", full(given.project, given.environment))
        return
    took = given.seconds or whole(given.project, given.environment)
    part = range(given.first, min(given.end or given.moments, given.moments))
    states = killed(given.project, given.environment, given.moments, part, took)
    counted = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    print(f"{sum(states.values())} kills: {counted}; nothing lost")


if __name__ == "__main__":
    main()

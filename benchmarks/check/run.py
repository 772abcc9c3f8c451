"""Time `freeze check` beside the trainings alone, and the trainings with pinned kernels.

    python -m benchmarks.check.run [--runs 5] [ENVIRONMENT...]

Needs the images of the shipped environments (`freeze build`) and references (`freeze check`).
The bare training is what each training's own process takes, from its start to its end, as it tells.
What `freeze check` adds is the command's start, the container's, the host's fingerprint, comparison
and history. Medians. Environments may be measured one by one: `measured.json` keeps them, as long
as machine and versions are the same. Writes `RESULTS.md` beside this file.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import monotonic
from typing import TYPE_CHECKING

from benchmarks.kept import idle, merge
from benchmarks.priority import FIRST, first
from freezer import __version__
from freezer.check.smoke import Varied, run_smoke
from freezer.engine.connect.connect import connect
from freezer.flows.project.environment import load_locked
from freezer.inside.freezer_inside.determinism import pinned
from freezer.inside.freezer_inside.fingerprint import cpu_info
from freezer.inside.freezer_inside.trainer import PROCESSOR
from freezer.model.events import SilentReporter

if TYPE_CHECKING:
    from freezer.engine.interface import Engine
    from freezer.model.lock import Lock
    from freezer.model.record.record import Record

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ENVIRONMENTS = ("sklearn-cpu", "torch-cpu", "jax-cpu", "tensorflow-cpu", "boosting")

LONGEST = 10
"""Seconds that a built-in training is to stay under."""


@dataclass
class Measured:
    """One environment, in seconds."""

    name: str
    bare: list[float]
    check: list[float]
    container: list[float]
    trainings: dict[str, list[float]]
    other: dict[str, list[float]]
    """Each training with kernels pinned where the image frees them, or the other way round."""
    runs: int
    date: str
    idle: float
    """The share of the CPUs that nobody used right before."""
    first: bool
    """Whether it went before what others ran."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("environments", nargs="*", default=ENVIRONMENTS)
    parser.add_argument("--runs", type=int, default=5, help="of which the median counts")
    parser.add_argument("--first", action="store_true", help="go before what others run")
    options = parser.parse_args()
    engine, found = connect(), {}
    with tempfile.TemporaryDirectory() as scratch, first(options.first):
        for name in options.environments:
            print(f"{name}: {options.runs} runs", flush=True)
            measured = _measure(engine, name, _project(Path(scratch), name), options.runs)
            found[name] = {**asdict(measured), "first": options.first}
    here = machine(engine)
    kept = merge(HERE / "measured.json", here, found, ENVIRONMENTS)
    every = [Measured(**one) for one in kept.values()]
    text = _report(every, here)
    (HERE / "RESULTS.md").write_text(text)
    print(text)
    if _longest(every)[0] >= LONGEST:
        raise SystemExit(f"a built-in training took {LONGEST} s and more")


def _project(scratch: Path, name: str) -> Path:
    """Return a copy of an environment: a check writes into its history."""
    project = scratch / name
    for part in ("images", "lockfiles"):
        shutil.copytree(ROOT / part / name, project / part / name)
    return project


def _measure(engine: Engine, name: str, project: Path, runs: int) -> Measured:
    locked = load_locked(project, name)
    portable = all(locked.lock.environment.get(k) == v for k, v in pinned().items())
    varied = Varied(dict.fromkeys(pinned(), "") if portable else pinned())
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    found = Measured(name, [], [], [], {}, {}, runs, today, idle(), first=False)
    _check(project, name)  # the first one here records, and warms what is read
    for _ in range(runs):
        took, seconds = _check(project, name)
        found.check.append(took)
        found.bare.append(sum(seconds.values()))
        started = monotonic()
        record = _trained(engine, locked.lock, locked.id, name, Varied())
        seconds = _seconds(record)
        found.container.append(monotonic() - started - sum(seconds.values()))
        _add(found.trainings, seconds)
        _add(found.other, _seconds(_trained(engine, locked.lock, locked.id, name, varied)))
    return found


def _check(project: Path, name: str) -> tuple[float, dict[str, float]]:
    """Return what a check took, and what of it was the trainings' own."""
    started = monotonic()
    command = [sys.executable, "-m", "freezer", "--quiet", "check", name, "--json"]
    done = subprocess.run(command, cwd=project, check=True, capture_output=True)
    took = monotonic() - started
    timings = json.loads(done.stdout)["timings"]
    return took, {
        training: sum(took for part, took in parts.items() if part != PROCESSOR)
        for training, parts in timings.items()
    }


def _trained(engine: Engine, lock: Lock, lock_id: str, name: str, varied: Varied) -> Record:
    image = engine.image(f"{name}:{lock_id[:12]}")
    if image is None:
        raise SystemExit(f"there is no image of {name}; run `freeze build {name}`")
    return run_smoke(
        lock, lock_id, image.id, engine=engine, report=SilentReporter(), title="", varied=varied
    )


def _seconds(record: Record) -> dict[str, float]:
    return {
        one.name: sum(t.seconds for t in one.timings if t.name != PROCESSOR)
        for one in record.trainings
    }


def _add(to: dict[str, list[float]], seconds: dict[str, float]) -> None:
    for name, value in seconds.items():
        to.setdefault(name, []).append(value)


def machine(engine: Engine) -> str:
    """Return what measurements of one page have in common: the machine, and the versions."""
    facts = cpu_info(Path("/proc/cpuinfo").read_text())
    cpu = facts.get("model name", platform.processor())
    return (
        f"{os.cpu_count()} cores of {cpu}, with Freezer {__version__}, Python "
        f"{platform.python_version()}, {engine.info.name} {engine.info.version}"
    )


def _report(found: list[Measured], here: str) -> str:
    dates = " and ".join(sorted({one.date for one in found}))
    runs = " and ".join(sorted({str(one.runs) for one in found}))
    longest, least = _longest(found), min(one.idle for one in found)
    how = FIRST if any(one.first for one in found) else ""
    lines = [
        "# Check: results",
        "",
        f"Measured on {dates} on {here}.",
        f"Medians of {runs}, in seconds. Written by `run.py`, which says what is measured.",
        f"Right before, the CPUs were idle for at least {least:.0%} of the time{how}.",
        (
            f"The longest built-in training, {longest[1]}, took {longest[0]:.2f} s by itself; none "
            f"is to take {LONGEST} s."
        ),
        "",
        "| environment | bare training | `freeze check` | added | of it the container |",
        "|---|---:|---:|---:|---:|",
    ]
    lines += [_environment(one) for one in found]
    lines += [
        "",
        "Pinned kernels: the time of each training with `numerics: portable` over `native`.",
        "",
        "| training | environment | native | portable | ratio |",
        "|---|---|---:|---:|---:|",
    ]
    lines += [line for one in found for line in _trainings(one)]
    return "\n".join(lines) + "\n"


def _longest(found: list[Measured]) -> tuple[float, str]:
    """Return the time of the slowest training, and its name."""
    return max((median(took), name) for one in found for name, took in one.trainings.items())


def _environment(one: Measured) -> str:
    bare, check = median(one.bare), median(one.check)
    added = median(c - b for c, b in zip(one.check, one.bare, strict=True))
    container = median(one.container)
    return f"| {one.name} | {bare:.2f} | {check:.2f} | {added:.2f} | {container:.2f} |"


def _trainings(one: Measured) -> list[str]:
    swapped = one.name == "boosting"
    rows = []
    for name, seconds in one.trainings.items():
        pair = median(seconds), median(one.other[name])
        native, portable = reversed(pair) if swapped else pair
        ratio = portable / native
        rows.append(f"| {name} | {one.name} | {native:.2f} | {portable:.2f} | {ratio:.2f} |")
    return rows


if __name__ == "__main__":
    main()

"""The commands whose start is measured, and a project for them that is the same everywhere."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Final

from freezer.data.cache import SLACK
from freezer.flows.runs.folders import FOLDER, LEDGER
from freezer.ledger.connect import open_ledger
from freezer.ledger.record import record_many
from freezer.model.record.run import Run, Time

ROOT = Path(__file__).parents[2]
ENVIRONMENTS: Final = ("sklearn-cpu", "boosting", "torch-cuda")
RUNS: Final = 80
FILES: Final = 30
SPEC: Final = """\
name: files
base: {bootstrap: bookworm}
python: "3.11"
smoke: {command: ["true"]}
data: {set: set}
"""
COMMANDS: Final = {
    "version": ("--version",),
    "lock --check": ("lock", "--check", "sklearn-cpu"),
    "lock --check, large": ("lock", "--check", "torch-cuda"),
    "log": ("log", "boosting"),
    "why": ("why", "boosting", "numpy"),
    "diff": ("diff", "boosting"),
    "runs list": ("runs", "list"),
    "data status": ("data", "status", "--env", "files"),
}
GUARDED: Final = ("lock --check", "log", "why", "diff", "runs list", "data status")
"""Those whose counts the test suite holds: see ``counts.json``."""


def make_project(folder: Path) -> Path:
    """Return a project with some of the shipped environments, one with a history, runs and data."""
    for name in ENVIRONMENTS:
        for part in ("images", "lockfiles"):
            shutil.copytree(ROOT / part / name, folder / part / name)
    _record_runs(folder)
    (folder / "images/files").mkdir()
    (folder / "images/files/freeze.yaml").write_text(SPEC)
    (folder / "set").mkdir()
    for number in range(FILES):
        (folder / f"set/{number}.txt").write_text(str(number))
    time.sleep(SLACK / 1e9 + 0.1)  # as in use, where files are older than any clock is coarse
    return folder


def _record_runs(folder: Path) -> None:
    """Record some runs, more than ``freeze runs list`` prints."""
    ledger = open_ledger(folder / FOLDER / LEDGER)
    started = 1_790_000_000_000_000  # microseconds since 1970
    record_many(
        ledger,
        [
            (
                Run(
                    f"{number:016x}", "boosting", "finished", Time(started + number),
                    ("python", "train.py"), exit_code=0, ended=Time(started + number + 9),
                    fields={"params.lr": number / RUNS, "seed": number},
                ),
                {},
                (),
            )
            for number in range(RUNS)
        ],
    )  # fmt: skip
    ledger.close()


def surroundings(folder: Path) -> dict[str, str]:
    """Return the variables of the measured processes: no cache, configuration or seed of the user.

    Python may write byte code: without it each start would compile what it loads.
    """
    outside = ("PYTHON", "XDG_", "FREEZER_", "UV_", "PIP_", "DOCKER_", "GIT_", "CONDA_")
    kept = {name: text for name, text in os.environ.items() if not name.startswith(outside)}
    home = str(folder / "home")
    return {**kept, "HOME": home, "FREEZER_STORE": f"{home}/store", "PYTHONHASHSEED": "0"}

"""The commands whose start is measured, and a project for them that is the same everywhere."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Final

from freezer.data.cache import SLACK

ROOT = Path(__file__).parents[2]
ENVIRONMENTS: Final = ("sklearn-cpu", "boosting", "torch-cuda")
COMMANDS: Final = {
    "version": ("--version",),
    "lock --check": ("lock", "--check", "sklearn-cpu"),
    "lock --check, large": ("lock", "--check", "torch-cuda"),
    "log": ("log", "boosting"),
    "why": ("why", "boosting", "numpy"),
    "diff": ("diff", "boosting"),
    "runs list": ("runs", "list"),
}
GUARDED: Final = ("lock --check", "log", "why", "diff", "runs list")
"""Those whose counts the test suite holds: see ``counts.json``."""


def make_project(folder: Path) -> Path:
    """Return a project with some of the shipped environments, one of them with a history."""
    for name in ENVIRONMENTS:
        for part in ("images", "lockfiles"):
            shutil.copytree(ROOT / part / name, folder / part / name)
    time.sleep(SLACK / 1e9 + 0.1)  # as in use, where files are older than any clock is coarse
    return folder


def surroundings(folder: Path) -> dict[str, str]:
    """Return the variables of the measured processes: no cache, configuration or seed of the user.

    Python may write byte code: without it each start would compile what it loads.
    """
    outside = ("PYTHON", "XDG_", "FREEZER_", "UV_", "PIP_", "DOCKER_", "GIT_", "CONDA_")
    kept = {name: text for name, text in os.environ.items() if not name.startswith(outside)}
    home = str(folder / "home")
    return {**kept, "HOME": home, "FREEZER_STORE": f"{home}/store", "PYTHONHASHSEED": "0"}

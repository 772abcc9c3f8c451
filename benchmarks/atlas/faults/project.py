"""Runs a training as a user does: locked, built, checked or audited, in a project of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

from benchmarks.atlas.environments import PYTHON
from benchmarks.atlas.faults.catalogue import IMAGES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from benchmarks.atlas.faults.catalogue import Fault

AS_OF: Final = "2026-11-30T00:00:00Z"
PROGRAM: Final = "train.py"
_LONGEST: Final = 600.0


class RunError(Exception):
    """A step of Freezer that failed."""


def run(folder: Path, fault: Fault, program: str) -> dict[str, Any]:
    """Lock and build a program's environment; return what its check or audit reports."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PROGRAM).write_text(program)
    (folder / "freeze.yaml").write_text(json.dumps(spec(fault)))  # YAML is a superset
    if not (folder / ".git").exists():
        subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    freeze(folder, "lock")
    freeze(folder, "build")
    found: dict[str, Any] = json.loads(freeze(folder, fault.by, "--json", good=(0, 1)))
    return found


def spec(fault: Fault) -> Mapping[str, Any]:
    """Return the specification of a fault's environment."""
    return {
        "name": f"atlas-{fault.image}",
        "base": {"bootstrap": "bookworm"},
        "python": PYTHON,
        "system": ["libgomp1"],
        "pip": list(IMAGES[fault.image]),
        "as-of": AS_OF,
        "determinism": {"seed": 1, "threads": fault.threads},
        "smoke": {
            "command": ["python", PROGRAM],
            "files": [PROGRAM],
            "cpus": 2,
            "memory": "3g",
        },
    }


def freeze(folder: Path, *arguments: str, good: tuple[int, ...] = (0,)) -> str:
    """Return what a command of Freezer prints. Raises ``RunError`` when it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "freezer", "--quiet", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=_LONGEST,
        check=False,
    )
    if done.returncode not in good:
        raise RunError(f"freeze {' '.join(arguments)}: {done.stderr.strip()[-600:]}")
    return done.stdout

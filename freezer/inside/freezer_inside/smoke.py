"""Runs the smoke trainings, each in a process of its own: ``python -m freezer_inside.smoke PLAN``.

``PLAN`` is a JSON object: ``trainings`` (names of built-in ones), ``command`` (the user's own, may
be empty) and ``timeout`` in seconds for each of them. Observations go to stdout, in the record
protocol; what a training says on stderr goes to stderr.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Dict, List, Sequence

from .record import NAME, Recorder

OWN = "own"
"""The name that the user's own training goes by."""
FOLDER = "/opt/freezer/smoke"
_LAST = 20
"""Lines of a failed training's stderr that are told."""


def run(name: str, command: Sequence[str], timeout: float) -> bool:
    """Run one training to its end; tell its failure. Returns whether it succeeded."""
    environment = {**os.environ, NAME: name}
    folder = FOLDER if os.path.isdir(FOLDER) else os.getcwd()
    sys.stdout.flush()
    try:
        done = subprocess.run(
            list(command),
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        Recorder(name).failed(f"it did not end within {timeout:.0f} seconds")
        return False
    except OSError as error:
        Recorder(name).failed(f"{command[0]}: {error.strerror}")
        return False
    sys.stderr.buffer.write(done.stderr)
    sys.stderr.flush()
    if done.returncode != 0:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()[-_LAST:]
        Recorder(name).failed("\n".join([f"exit status {done.returncode}", *lines]))
    return done.returncode == 0


def commands(plan: Dict[str, object]) -> Dict[str, List[str]]:
    """Return the command of each training by name, in the order in which they run."""
    python = sys.executable
    trainings = plan.get("trainings") or ()
    found = {str(n): [python, "-m", f"freezer_inside.{n}_training"] for n in trainings}  # type: ignore[attr-defined]
    if plan.get("command"):
        found[OWN] = [str(word) for word in plan["command"]]  # type: ignore[attr-defined]
    return found


def main() -> int:
    """Run everything that the plan names; 0 when all of it came to its end."""
    plan = json.loads(sys.argv[1])
    subprocess.run([sys.executable, "-m", "freezer_inside.fingerprint"], check=True)
    results = [
        run(name, command, float(plan["timeout"])) for name, command in commands(plan).items()
    ]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())

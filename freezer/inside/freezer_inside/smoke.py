"""Runs the smoke trainings, each in a process of its own: ``python -m freezer_inside.smoke PLAN``.

``PLAN`` is a JSON object: ``trainings`` (names of built-in ones), ``command`` (the user's own, may
be empty), ``timeout`` in seconds for each of them, and for experiments ``unset``, names of the
image's variables that are not to be there. Observations go to stdout, in the record
protocol; what a training says on stderr goes to stderr.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from typing import IO, Dict, List, Sequence

from .determinism import NAME

OWN = "own"
"""The name that the user's own training goes by."""
FOLDER = "/opt/freezer/smoke"
_LAST = 20
"""Lines of a failed training's stderr that are told."""
_WIDE = 190
"""Characters of each."""
_KEPT = 1 << 16
"""Bytes of stderr that they are taken from."""
_SHOWN = 1 << 20
"""Bytes of a training's stderr that are passed on; what comes after them is dropped."""
_PATIENCE = 5.0
"""Seconds for stderr to end once every process of the training is gone."""


class Ear(threading.Thread):
    """Reads a training's stderr to its end: passes on the first of it, and keeps the last."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self._stream = stream
        self._last = b""

    def run(self) -> None:
        """Read until the other end is closed."""
        passed = 0
        while True:
            block = self._stream.read1(_KEPT)  # type: ignore[attr-defined]
            if not block:
                return
            sys.stderr.buffer.write(block[: max(0, _SHOWN - passed)])
            sys.stderr.flush()
            passed += len(block)
            self._last = (self._last + block)[-_KEPT:]

    def lines(self) -> List[str]:
        """Return the last lines."""
        lines = self._last.decode("utf-8", "replace").strip().splitlines()[-_LAST:]
        return [line[:_WIDE] for line in lines]


def run(name: str, command: Sequence[str], timeout: float) -> bool:
    """Run one training to its end; tell its failure. Returns whether it succeeded.

    Whatever it started ends with it: the next training has the CPUs to itself.
    """
    sys.stdout.flush()
    try:
        process = subprocess.Popen(
            list(command),
            env={**os.environ, NAME: name},
            cwd=FOLDER if os.path.isdir(FOLDER) else os.getcwd(),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        _tell_failure(name, f"{command[0]}: {error.strerror}")
        return False
    assert process.stderr is not None  # noqa: S101 - a pipe was asked for
    ear = Ear(process.stderr)
    ear.start()
    failure = _ended(process, timeout)
    ear.join(_PATIENCE)
    if failure is not None:
        _tell_failure(name, "\n".join([failure, *ear.lines()]))
    return failure is None


def _tell_failure(name: str, message: str) -> None:
    from .record import Recorder  # what it needs takes time to load, and failures are seldom

    Recorder(name).failed(message)


def _ended(process: "subprocess.Popen[bytes]", timeout: float) -> "str | None":
    """Wait for a training, end what it left behind, and say how it failed."""
    late = False
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        late = True
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    status = process.wait()
    if late:
        return f"it did not end within {timeout:.0f} seconds"
    return f"exit status {status}" if status != 0 else None


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
    for variable in plan.get("unset") or ():
        os.environ.pop(variable, None)
    subprocess.run([sys.executable, "-m", "freezer_inside.fingerprint"], check=True)
    results = [
        run(name, command, float(plan["timeout"])) for name, command in commands(plan).items()
    ]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())

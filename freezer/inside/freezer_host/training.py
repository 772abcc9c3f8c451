"""Runs the smoke trainings of one image in a container, and collects the lines of their record."""

from __future__ import annotations

import json
import time
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

from .process import at_end, stream
from .runtimes import ImageError, Runtime

PREFIX = b"::freezer:: "
LARGEST = 32 << 20
"""Bytes of all lines of a record, as ``freeze check`` accepts them."""
MOST_LINES = 200_000
_GRACE = 60.0
"""Seconds for starting and stopping, beyond the trainings' own limits."""
_KILLED = 137


class Run(NamedTuple):
    """What became of an environment on this host."""

    outcome: str
    """``ran``, or why not: ``no-runtime``, ``no-image``, ``no-space``, ``wrong-host``."""
    reason: str = ""
    runtime: str = ""
    exit: Optional[int] = None
    timed_out: bool = False
    out_of_memory: bool = False
    seconds: float = 0.0
    lines: Sequence[str] = ()
    errors: str = ""

    def document(self) -> Dict[str, object]:
        """Return the fields of the result file."""
        values = self._asdict()
        return {name.replace("_", "-"): value for name, value in values.items()}


def not_run(outcome: str, reason: str, runtime: str = "") -> Run:
    """Return what a host says that ran nothing."""
    return Run(outcome, reason=reason[:2000], runtime=runtime)


def run(runtime: Runtime, environment: Dict[str, Any], name: str) -> Run:
    """Run an environment's trainings once."""
    try:
        image = runtime.ensure_image(environment)
    except ImageError as error:
        outcome = "no-space" if "no space left" in str(error).lower() else "no-image"
        return not_run(outcome, str(error), runtime.title)
    collected, started = Lines(), time.monotonic()
    at_end(lambda: runtime.end(name))
    timeout = float(environment["timeout"]) + _GRACE
    command = runtime.command(image, environment, name)
    with runtime.pinned(environment):
        code, errors = stream(command, timeout, collected.add)
    if code == 124:
        runtime.end(name)
    seconds = time.monotonic() - started
    if not collected.lines and "no space left" in errors.lower():
        return not_run("no-space", errors.strip(), runtime.title)
    if not collected.lines and code in runtime.not_started:
        return not_run("no-runtime", errors.strip() or "exit status %d" % code, runtime.title)
    return Run(
        "ran",
        runtime=runtime.title,
        exit=code,
        timed_out=code == 124,
        out_of_memory=code == _KILLED,
        seconds=round(seconds, 3),
        lines=collected.text(),
        errors=errors,
    )


class Lines:
    """The record's lines of a container's output, up to a limit; other lines are dropped."""

    def __init__(self) -> None:
        self.lines: List[bytes] = []
        self.size = 0
        self._rest = b""

    def add(self, block: bytes) -> None:
        """Add a block of output."""
        parts = (self._rest + block).split(b"\n")
        self._rest = parts.pop()[-LARGEST:]
        for line in parts:
            if line.startswith(PREFIX):
                self.size += len(line)
                if self.size <= LARGEST and len(self.lines) < MOST_LINES:
                    self.lines.append(line)

    def text(self) -> List[str]:
        """Return the lines; one more that says so where there were too many."""
        lines = [line.rstrip(b"\r").decode("utf-8", "replace") for line in self.lines]
        if self.size > LARGEST or len(self.lines) >= MOST_LINES:
            document = {"kind": "too-large", "bytes": self.size}
            lines.append(PREFIX.decode() + json.dumps(document))
        return lines

"""Running the smoke trainings of an image, confined, and reading what they told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from freezer.engine.interface import RunOptions
from freezer.errors import CheckError
from freezer.model.protocol import PREFIX, parse_lines
from freezer.model.record import Record

if TYPE_CHECKING:
    from freezer.engine.interface import Engine, RunResult
    from freezer.model.events import Reporter, Task
    from freezer.model.lock import Lock

_PYTHON = "/opt/env/bin/python"
_GRACE = 60.0
"""Seconds beyond the trainings' own limits for starting and stopping."""


def run_smoke(
    lock: Lock, lock_id: str, image: str, *, engine: Engine, report: Reporter, title: str
) -> Record:
    """Run the lock's trainings in its image once; return their record.

    No network, a read-only root, no capabilities, no new privileges; CPUs and memory as the spec
    says. A training that fails is in the record as failed. Raises ``CheckError`` when nothing can
    be run, or the record cannot be read.
    """
    plan = lock.smoke
    count = len(plan.trainings) + bool(plan.command)
    if count == 0:
        raise CheckError(
            f"{lock.name} has nothing to check: no built-in training fits its packages",
            hint="name your own under 'smoke: {command: [...], files: [...]}' and lock again",
        )
    document = {
        "trainings": list(plan.trainings),
        "command": list(plan.command),
        "timeout": plan.timeout,
    }
    command = [_PYTHON, "-m", "freezer_inside.smoke", json.dumps(document)]
    options = RunOptions(cpus=plan.cpus, memory=plan.memory, timeout=plan.timeout * count + _GRACE)
    lines: list[bytes] = []
    with report.task(title) as task:
        result = engine.run(
            image, command, options, on_stdout=lambda line: _hear(line, lines, task, report)
        )
    host, trainings = parse_lines(lines)
    if host is None or not trainings:
        raise _nothing_told(lock, result)
    return Record(
        lock_id=lock_id, image=image, inside=lock.inside.sha256, host=host, trainings=trainings
    )


def _hear(line: bytes, lines: list[bytes], task: Task, report: Reporter) -> None:
    if not line.startswith(PREFIX):
        report.debug(line[:500].decode("utf-8", "replace"))
        return
    if len(lines) >= 200_000:
        return  # the record's own limit will say so
    lines.append(line)
    if b'"kind": "loss"' in line[:200]:
        task.describe("training")


def _nothing_told(lock: Lock, result: RunResult) -> CheckError:
    said = result.stderr.decode("utf-8", "replace").strip().splitlines()[-12:]
    if result.out_of_memory:
        hint = f"raise smoke.memory, which is {lock.smoke.memory}"
    elif result.timed_out:
        hint = f"raise smoke.timeout, which is {lock.smoke.timeout} seconds"
    else:
        hint = "run `freeze build --force`, and `freeze doctor` if that does not help"
    return CheckError(
        "the smoke training could not be started",
        found=f"exit status {result.exit_code}"
        + (", out of memory" if result.out_of_memory else "")
        + (", out of time" if result.timed_out else ""),
        hint=hint,
        details=said,
    )

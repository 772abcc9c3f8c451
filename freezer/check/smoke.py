"""Runs the smoke trainings of an image, sandboxed, and reads their record."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING

from freezer.engine.interface import RunOptions
from freezer.errors import CheckError
from freezer.inside import inside_digest
from freezer.inside.freezer_inside.smoke import OWN
from freezer.model.image_runtime import require_interface
from freezer.model.record.protocol import LARGEST_RECORD, PREFIX, parse_lines
from freezer.model.record.record import Record, Training

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from freezer.engine.interface import Engine, RunResult
    from freezer.model.events import Reporter, Task
    from freezer.model.lock import Lock, SmokePlan
    from freezer.model.record.inventory import InventoryNote

_PYTHON = "/opt/env/bin/python"
_GRACE = 60.0
"""Seconds for starting and stopping, beyond the trainings' own limits."""
_READING = 30.0
"""Minimum seconds for reading the record, however long the trainings ran."""
_MOST_LINES = 200_000
_KILLED = ("exit status -9", "exit status 137")
"""Failures recorded for a training killed by SIGKILL, itself or a process below a shell."""


@dataclass(frozen=True)
class Varied:
    """Changes of a run for an experiment."""

    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables that override the image's own; empty ones are unset."""
    only: Collection[str] = ()
    """The trainings to run; empty: all of them."""
    limit: float | None = None
    """Maximum seconds for each training, if the spec allows more."""
    positions: tuple[int, ...] = ()
    """The CPUs to run on, counted from 0; empty: those that are used least."""


@dataclass(frozen=True, kw_only=True)
class SmokeRunner:
    """Runs the smoke trainings of one lock in one image, any number of times."""

    lock: Lock
    lock_id: str
    image: str
    engine: Engine
    report: Reporter
    gpus: bool = False
    """Whether the host's GPUs are visible in the containers."""
    inventory: InventoryNote | None = None
    """The numeric libraries of the image; None when they could not be listed."""

    def run(self, title: str, varied: Varied | None = None) -> Record:
        """Run the trainings once, sandboxed; return their record.

        With ``varied`` it is an experiment, never a check. Raises ``CheckError`` when nothing can
        be run, or the record cannot be read.
        """
        record = run_smoke(
            self.lock,
            self.lock_id,
            self.image,
            engine=self.engine,
            report=self.report,
            title=title,
            varied=varied,
            gpus=self.gpus,
        )
        name = f"{self.engine.info.name} {self.engine.info.version}"
        host = record.host.model_copy(update={"engine": name})
        trainings = tuple(with_kill_explained(one, self.lock) for one in record.trainings)
        changes = {"host": host, "trainings": trainings, "inventory": self.inventory}
        return record.model_copy(update=changes)


def with_kill_explained(training: Training, lock: Lock) -> Training:
    """Add the likely cause of a SIGKILL: only the memory limit ends a training so."""
    first, *rest = (training.failure or "").splitlines() or [""]
    if first not in _KILLED:
        return training
    reason = (
        f"it was killed, most likely out of memory; raise smoke.memory, now {lock.smoke.memory}"
    )
    return training.model_copy(update={"failure": "\n".join([reason, *rest])})


def run_smoke(
    lock: Lock,
    lock_id: str,
    image: str,
    *,
    engine: Engine,
    report: Reporter,
    title: str,
    varied: Varied | None = None,
    gpus: bool = False,
) -> Record:
    """Run the lock's trainings in its image once; return their record.

    With ``varied`` it is an experiment, never a check. With ``gpus`` the host's GPUs are visible.
    No network, a read-only root, no capabilities, no new privileges; CPUs and memory as in the
    spec. A failed training is recorded as failed. Raises ``CheckError`` when nothing can be run, or
    the record cannot be read.
    """
    require_interface(lock.inside)
    plan, varied = lock.smoke, varied or Varied()
    names = tuple(name for name in smoke_names(lock) if not varied.only or name in varied.only)
    timeout = plan.timeout if varied.limit is None else min(plan.timeout, varied.limit)
    command = _command(plan, names, varied, timeout)
    options = RunOptions(
        cpus=plan.cpus,
        cpu_positions=varied.positions,
        memory=plan.memory,
        timeout=timeout * len(names) + _GRACE,
        environment={name: value for name, value in varied.environment.items() if value},
        gpus=gpus,
    )
    started, lines = monotonic(), _Lines()
    with report.task(title) as task:
        result = engine.run(
            image, command, options, on_stdout=lambda line: lines.add(line, task, report)
        )
    # The time limit includes reading, for which a minimum is always left.
    deadline = max(started + options.timeout, monotonic() + _READING)
    return read_record(lock, lock_id, image, names, lines.complete(), result, deadline)


def smoke_names(lock: Lock) -> tuple[str, ...]:
    """Return the names of a lock's trainings, in order. Raises ``CheckError`` for none."""
    names = (*lock.smoke.trainings, *((OWN,) if lock.smoke.command else ()))
    if not names:
        raise CheckError(
            f"{lock.name} has nothing to check: no built-in training fits its packages",
            hint="name your own under 'smoke: {command: [...], files: [...]}' and lock again",
        )
    return names


def smoke_command(lock: Lock) -> list[str]:
    """Return the command that runs all of a lock's trainings in its image."""
    require_interface(lock.inside)
    return _command(lock.smoke, smoke_names(lock), Varied(), lock.smoke.timeout)


def read_record(
    lock: Lock,
    lock_id: str,
    image: str,
    names: Sequence[str],
    lines: list[bytes],
    result: RunResult,
    deadline: float | None = None,
) -> Record:
    """Return the record of a run of the named trainings from the lines that it printed.

    Raises ``CheckError`` when the record cannot be read, or nothing was reported.
    """
    try:
        host, trainings = parse_lines(lines, deadline)
    except CheckError as error:
        error.details = (*error.details, *_other_runtime(lock))
        raise
    if host is None:
        raise _nothing_reported(lock, result)
    trainings = _all_of(names, trainings, result)
    return Record(
        lock_id=lock_id, image=image, inside=lock.inside.sha256, host=host, trainings=trainings
    )


def _command(plan: SmokePlan, names: Collection[str], varied: Varied, timeout: float) -> list[str]:
    """Return the command that runs the named trainings in the image."""
    document = {
        "trainings": [name for name in plan.trainings if name in names],
        "command": list(plan.command) if OWN in names else [],
        "timeout": timeout,
        "unset": [name for name, value in varied.environment.items() if not value],
    }
    return [_PYTHON, "-m", "freezer_inside.smoke", json.dumps(document)]


def _other_runtime(lock: Lock) -> Iterator[str]:
    """Return a warning when the image's runtime is not the one of this Freezer."""
    if lock.inside.sha256 != inside_digest()[1]:
        yield (
            f"the image holds freezer_inside {lock.inside.version} ({lock.inside.sha256[:12]}), "
            "of another Freezer than this one"
        )


def _all_of(
    names: Sequence[str], reported: Sequence[Training], result: RunResult
) -> tuple[Training, ...]:
    """Return the trainings in order; one that reported nothing has failed.

    A training may report under further names; those come last.
    """
    by_name = {training.name: training for training in reported}
    further = [name for name in by_name if name not in names]
    silent = {
        name: Training(name=name, failure=_silence(result, further))
        for name in names
        if name not in by_name
    }
    every = {**silent, **by_name}
    return tuple(every[name] for name in (*names, *further))


def _silence(result: RunResult, further: Sequence[str]) -> str:
    if result.timed_out:
        return "it did not run: the time for all trainings was over"
    if result.out_of_memory:
        return "it did not run: the container ran out of memory"
    if further:
        return (
            f"it reported nothing under its own name, but {', '.join(map(repr, further))} did; "
            "use Recorder() without a name"
        )
    return "it reported nothing; use freezer_inside.record.Recorder"


class _Lines:
    """The protocol lines of a run, up to a limit; all other lines go to the log."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []
        self._size = 0

    def add(self, line: bytes, task: Task, report: Reporter) -> None:
        """Add a line of stdout; lines over the limit are only counted."""
        if not line.startswith(PREFIX):
            report.debug(line[:500].decode("utf-8", "replace"))
            return
        self._size += len(line)
        if self._size <= LARGEST_RECORD and len(self._lines) <= _MOST_LINES:
            self._lines.append(line)
        if b'"kind": "loss"' in line[:200]:
            task.describe("training")

    def complete(self) -> list[bytes]:
        """Return all lines. Raises ``CheckError`` when there were too many."""
        if self._size > LARGEST_RECORD or len(self._lines) > _MOST_LINES:
            raise CheckError(
                "the trainings' record is too large",
                found=f"{self._size} bytes, {len(self._lines)} lines or more",
                expected=f"at most {LARGEST_RECORD} bytes and {_MOST_LINES} lines",
                hint="report fewer tensors, or the digest alone: `tensor(..., sampled=False)`",
            )
        return self._lines


def _nothing_reported(lock: Lock, result: RunResult) -> CheckError:
    stderr = result.stderr.decode("utf-8", "replace").strip().splitlines()[-12:]
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
        details=stderr,
    )

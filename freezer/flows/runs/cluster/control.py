"""Ends runs and prints their output, wherever they run: on this host, or on a cluster."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from freezer.errors import FleetError, RunError
from freezer.fleet.slurm import Slurm, require_slurm
from freezer.fleet.trainings.submission import Submissions
from freezer.flows.runs.cluster.follow import Follower
from freezer.flows.runs.folders import submissions_in
from freezer.flows.runs.processes import detached
from freezer.flows.runs.processes.sweeps import ON_CLUSTER, get_sweep
from freezer.flows.runs.queries import get

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from freezer.fleet.trainings.submission import Submission
    from freezer.flows.project.project import Project
    from freezer.flows.runs.processes.sweeps import Sweep
    from freezer.model.record.run import Run

PATIENCE: Final = 180.0
"""Seconds for a cancelled job to end and to be recorded; Slurm waits before it kills."""
_PAUSE: Final = 1.0


def stop(project: Project, name: str) -> Run:
    """End a run and wait until it is recorded; return it then. Raises ``RunError``.

    Of a run on a cluster its job is cancelled.
    """
    run = get(project, name)[0]
    if ON_CLUSTER not in run.owner:
        return detached.stop(project, run.id)
    _cancel(project, [run.id])
    end = time.monotonic() + PATIENCE
    while run.state == "running":
        if time.monotonic() > end:
            raise _does_not_end(f"run {run.id}")
        time.sleep(_PAUSE)
        run = get(project, run.id)[0]
    return run


def stop_sweep(project: Project, name: str) -> Sweep:
    """End the runs of a sweep; return it when all of them ended. Raises ``RunError``."""
    sweep = get_sweep(project, name)
    if ON_CLUSTER not in sweep.owner:
        return detached.stop_sweep(project, sweep.id)
    _cancel(project, sweep.begun)
    end = time.monotonic() + PATIENCE
    while sweep.state == "running":
        if time.monotonic() > end:
            raise _does_not_end(sweep.id)
        time.sleep(_PAUSE)
        sweep = get_sweep(project, sweep.id)
    return sweep


def _cancel(project: Project, runs: Sequence[str]) -> None:
    submissions = Submissions(submissions_in(project.root))
    found = [one for run in runs if (one := submissions.get(run)) is not None]
    if not found:
        return  # all of them are recorded
    require_slurm()
    if not all(one.number for one in found):
        raise FleetError(
            "the number of the job is not known: the controller did not answer its submission",
            hint="`squeue --me --name=" + found[0].name + "` lists it, `scancel` ends it",
        )
    Slurm().cancel(_numbers(found))


def _numbers(found: Sequence[Submission]) -> list[str]:
    return [one.number for one in found]


def _does_not_end(what: str) -> RunError:
    return RunError(
        f"{what} did not end within {PATIENCE:.0f} s after its job was cancelled",
        hint="`squeue --me` lists the job; the next command about runs records its end",
    )


def follow(project: Project, run: Run, *, wait: bool) -> Iterator[bytes]:
    """Yield what a run printed, and with ``wait`` what it prints until it ends."""
    if ON_CLUSTER not in run.owner:
        yield from detached.follow(project, run, wait=wait)
        return
    held: list[bytes] = []
    folder, ranks = Path(str(run.owner.get("spool", ""))), _ranks(run)
    follower = Follower(folder, ranks, lambda _stream, data: held.append(data))
    if not folder.is_dir():
        yield f"{run.tail}\n".encode("utf-8", "backslashreplace") if run.tail else b""
        return
    while True:
        ended = not wait or run.state != "running"  # looked at first: what comes last is read
        follower.look()
        if ended:
            follower.end()
        yield from held
        held.clear()
        if ended:
            return
        time.sleep(_PAUSE)
        run = get(project, run.id)[0]


def _ranks(run: Run) -> int:
    nodes, each = run.fields.get("slurm.nodes", 1), run.fields.get("slurm.ntasks-per-node", 1)
    if isinstance(nodes, int) and isinstance(each, int):
        return max(1, min(nodes * each, 10_000))
    return 1


def follow_sweep(project: Project, name: str, *, wait: bool) -> Iterator[bytes]:
    """Yield what the runs of a sweep printed, one after the other on a cluster."""
    sweep = get_sweep(project, name)
    if ON_CLUSTER not in sweep.owner:
        yield from detached.follow_sweep(project, sweep.id, wait=wait)
        return
    for one in sweep.runs:
        if one.run is not None:
            for data in follow(project, get(project, one.run)[0], wait=wait):
                yield b"".join(
                    f"{one.label} ".encode() + line for line in data.splitlines(keepends=True)
                )

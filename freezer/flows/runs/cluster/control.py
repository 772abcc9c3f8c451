"""Ends runs and prints their output, wherever they run: on this host, or on a cluster."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from freezer.errors import FleetError, RunError
from freezer.fleet.slurm import Slurm, require_slurm
from freezer.fleet.trainings.jobs import training_jobs
from freezer.fleet.trainings.submission import Submissions
from freezer.flows.runs.cluster.follow import Follower
from freezer.flows.runs.folders import submissions_in
from freezer.flows.runs.processes import detached
from freezer.flows.runs.processes.sweeps import ON_CLUSTER, get_sweep
from freezer.flows.runs.queries import get

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
    _cancel(project, f"run {run.id}", [run.id])
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
    _cancel(project, sweep.id, sweep.begun)
    end = time.monotonic() + PATIENCE
    while sweep.state == "running":
        if time.monotonic() > end:
            raise _does_not_end(sweep.id)
        time.sleep(_PAUSE)
        sweep = get_sweep(project, sweep.id)
    return sweep


def _cancel(project: Project, what: str, runs: Sequence[str]) -> None:
    """Cancel the jobs of some runs, of those that Slurm lists under their names.

    A number alone is not enough: when Slurm has used the last one it begins again with the first.
    """
    submissions = Submissions(submissions_in(project.root))
    found = [one for run in runs if (one := submissions.get(run)) is not None]
    if not found:
        _require_recorded(project, what, runs)
        return
    require_slurm()
    slurm = Slurm()
    listed = training_jobs(
        slurm, {one.key for one in found}, min(one.created for one in found), known={}
    )
    active = [job.number for job in listed.values() if job.active and job.number]
    if not active and not all(one.number for one in found):
        raise FleetError(
            "the number of the job is not known: the controller did not answer its submission",
            hint="`squeue --me --name=" + found[0].name + "` lists it, `scancel` ends it",
        )
    if active:
        slurm.cancel(active)


def _require_recorded(project: Project, what: str, runs: Sequence[str]) -> None:
    """Raise ``RunError`` for runs that go on, and were not submitted from this folder."""
    if any(get(project, run)[0].state == "running" for run in runs):
        raise RunError(
            f"{what} was not submitted from this project folder, so its job is not known here",
            expected="`freeze runs stop` in the folder where it was submitted",
            hint="where that is gone for good, `freeze runs stop --lost RUN` ends a run",
        )


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
    if not os.path.isdir(folder):  # noqa: PTH112 - `is_dir` raises for a shared folder that fails
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

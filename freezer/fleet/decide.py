"""Whether a host's result counts: by its job's state and its result file, never by an exit code.

Slurm reports a job whose node died with exit code 0:0, and accounting lists jobs late.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from freezer.fleet.sealed import Problem
from freezer.fleet.state import Cause, State, not_checked

if TYPE_CHECKING:
    from freezer.fleet.jobs import Job
    from freezer.fleet.request import Submission
    from freezer.fleet.result import HostResult

LATE: Final = 60.0
"""Seconds for which a job that ended may be missing in every list, and a result on a shared file
system that caches."""
_CAUSES: Final = {
    "no-runtime": Cause.NO_RUNTIME,
    "no-image": Cause.NO_IMAGE,
    "no-space": Cause.NO_IMAGE,
    "wrong-host": Cause.LOST,
}


def decide(  # noqa: PLR0911 - one for each state
    submission: Submission, job: Job | None, result: HostResult | Problem | None, age: float
) -> HostResult | State:
    """Return the result to judge, or the state of a host without one. Pure.

    ``age``: seconds since the submission, or since the job was first seen to have ended. Negative
    where the clock of another host that looked was ahead.
    """
    early = abs(age) < LATE
    if submission.cause is not None:
        return not_checked(Cause(submission.cause), submission.reason)
    if job is None or not job.completed:
        return _without_end(job, early)
    if result is None and early:
        return not_checked(Cause.WAITING, f"{job.title}; its result file is not there yet")
    if result is None:
        return not_checked(Cause.LOST, f"{job.title}, but wrote no result file")
    if isinstance(result, Problem):
        return not_checked(Cause.LOST, f"{job.title}, but {result.reason}")
    if job.number and result.job and result.job != job.number:
        return not_checked(Cause.LOST, f"{job.title}, but the result file is of job {result.job}")
    if result.outcome != "ran":
        return not_checked(_CAUSES[result.outcome], result.reason or result.outcome)
    return result


def _without_end(job: Job | None, early: bool) -> State:
    """Return the state of a host whose job did not come to its own end."""
    if job is not None:
        return not_checked(Cause.WAITING if job.active else job.cause, job.title)
    if early:
        return not_checked(Cause.WAITING, "the scheduler does not list the job yet")
    return not_checked(Cause.LOST, "neither the controller nor accounting lists the job")

"""What becomes of a submitted run: by its result file, or by its job's state. Pure.

A complete result counts whatever the job's state is: a node may die after it was written. Without
one, the state says why; no exit code of a job makes a run finished.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from freezer.fleet.sealed import Problem
from freezer.fleet.trainings.result import Rank, TrainingResult

if TYPE_CHECKING:
    from freezer.fleet.jobs import Job
    from freezer.fleet.trainings.submission import Submission

LATE: Final = 60.0
"""Seconds for which a job that ended may be missing in every list, and its result on a shared file
system that caches."""
REQUEUED: Final = 30.0
"""Seconds after which a job that may be requeued, and ended, is not requeued any more."""
_RESTARTED: Final = frozenset({"NODE_FAIL", "PREEMPTED", "BOOT_FAIL", "REQUEUED"})
_INTERRUPTED: Final = frozenset(
    {"CANCELLED", "TIMEOUT", "DEADLINE", "PREEMPTED", "NODE_FAIL", "REVOKED"}
)
"""States of jobs that were ended from outside; any other one that ended failed."""


@dataclass(frozen=True)
class Ended:
    """The end of a run without a result that counts."""

    state: str
    """Of the run: ``interrupted`` or ``failed``."""
    reason: str
    node: str = ""
    """The hosts of its job."""


def decide(  # noqa: PLR0911 - one for each way in which it may have ended
    submission: Submission, result: TrainingResult | Problem | None, job: Job | None, age: float
) -> TrainingResult | Ended | None:
    """Return the result to record, an end without one, or None: it goes on.

    ``job`` is None where no list has it; ``age``: seconds since it was first seen to have ended, or
    to be missing.
    """
    if isinstance(result, TrainingResult):
        return result
    if job is not None and job.active:
        return None
    why = result.reason if isinstance(result, Problem) else ""
    if job is None:
        gone = "neither the controller nor accounting lists the job"
        return Ended("interrupted", why or gone) if age >= LATE else None
    if submission.requeue and job.state in _RESTARTED and age < REQUEUED:
        return None
    if job.completed:
        if not why and age < LATE:
            return None
        return Ended("interrupted", f"{job.title}, but {why or 'it wrote no result'}", job.node)
    state = "interrupted" if job.state in _INTERRUPTED else "failed"
    return Ended(state, f"{job.title}; {why}" if why else job.title, job.node)


def deciding_rank(result: TrainingResult) -> Rank:
    """Return the rank whose end decides the run's: the first one that failed, or rank 0.

    When a rank fails, the others are ended with it.
    """
    failed = [one for one in result.ranks if one.exit]
    return min(failed, key=lambda one: (one.ended or 0, one.rank)) if failed else result.ranks[0]


def run_state(result: TrainingResult) -> tuple[str, int | None]:
    """Return the state and the exit code of a run whose command ran."""
    code = deciding_rank(result).exit
    if code:
        return "failed", code
    if all(one.outcome == "ran" and one.exit == 0 for one in result.ranks):
        return "finished", 0
    return "interrupted", None  # a rank is lost, and none says why

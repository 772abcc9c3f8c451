"""No job state, exit code or damaged file becomes a pass."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.fleet.decide import LATE, decide
from freezer.fleet.jobs import Job
from freezer.fleet.request import Submission
from freezer.fleet.result import HostResult
from freezer.fleet.sealed import Problem
from freezer.fleet.state import Cause, State
from tests.support.cluster.fleets import result

ASKED = Submission(environments=("demo",), job="7")
GOOD = result()
STATES = [
    "BOOT_FAIL",
    "CANCELLED",
    "COMPLETED",
    "CONFIGURING",
    "COMPLETING",
    "DEADLINE",
    "FAILED",
    "NODE_FAIL",
    "OUT_OF_MEMORY",
    "PENDING",
    "PREEMPTED",
    "RUNNING",
    "RESV_DEL_HOLD",
    "REQUEUE_FED",
    "REQUEUE_HOLD",
    "REQUEUED",
    "RESIZING",
    "REVOKED",
    "SIGNALING",
    "SPECIAL_EXIT",
    "STAGE_OUT",
    "STOPPED",
    "SUSPENDED",
    "TIMEOUT",
    "NEW_STATE",
]
"""Those of Slurm's documentation, and one that may come."""


def job(state: str, note: str = "0:0") -> Job:
    return Job("7", "freezer-x-1-n1", state, "n1", note)


@pytest.mark.parametrize(
    ("state", "cause"),
    [
        ("PENDING", Cause.WAITING),
        ("RUNNING", Cause.WAITING),
        ("COMPLETING", Cause.WAITING),
        ("REQUEUED", Cause.WAITING),
        ("NODE_FAIL", Cause.LOST),
        ("PREEMPTED", Cause.LOST),
        ("FAILED", Cause.LOST),
        ("OUT_OF_MEMORY", Cause.LOST),
        ("BOOT_FAIL", Cause.LOST),
        ("NEW_STATE", Cause.LOST),
        ("CANCELLED", Cause.CANCELLED),
        ("DEADLINE", Cause.DEADLINE),
        ("TIMEOUT", Cause.DEADLINE),
    ],
)
@pytest.mark.parametrize("found", [None, GOOD, Problem("it was cut off")])
def test_a_job_that_did_not_complete_has_no_verdict(
    state: str, cause: Cause, found: HostResult | Problem | None
) -> None:
    decided = decide(ASKED, job(state), found, 0)
    assert isinstance(decided, State)
    assert decided.cause is cause
    assert state in decided.reason


@given(
    st.sampled_from(STATES),
    st.sampled_from(["0:0", "1:0", "0:9", "None", "", "NodeDown"]),
    st.sampled_from([None, GOOD, Problem("it was edited")]),
    st.floats(0, 1e6),
)
def test_only_a_completed_job_with_a_whole_result_is_judged(
    state: str, note: str, found: HostResult | Problem | None, age: float
) -> None:
    decided = decide(ASKED, job(state, note), found, age)
    if decided is GOOD:
        assert state == "COMPLETED"
        assert note not in ("1:0", "0:9")
        assert found is GOOD
    else:
        assert isinstance(decided, State)
        assert not decided.good
        assert decided.reason


def test_a_completed_job_without_a_result_is_waited_for_and_then_lost() -> None:
    ages = ((0.0, Cause.WAITING), (LATE, Cause.LOST), (-5.0, Cause.WAITING), (-LATE, Cause.LOST))
    for age, cause in ages:  # a negative one: another host's clock was ahead
        decided = decide(ASKED, job("COMPLETED"), None, age)
        assert isinstance(decided, State)
        assert decided.cause is cause


def test_a_result_of_another_job_is_not_judged() -> None:
    decided = decide(ASKED, Job("8", "freezer-x-1-n1", "COMPLETED", "n1", "0:0"), GOOD, 0)
    assert isinstance(decided, State)
    assert (decided.cause, decided.reason[-8:]) == (Cause.LOST, "of job 7")


def test_a_job_that_nobody_lists_is_late_and_then_lost() -> None:
    for age, cause in ((LATE - 1, Cause.WAITING), (LATE, Cause.LOST)):
        decided = decide(ASKED, None, GOOD, age)
        assert isinstance(decided, State)
        assert decided.cause is cause


@pytest.mark.parametrize(
    ("outcome", "cause"),
    [
        ("no-runtime", Cause.NO_RUNTIME),
        ("no-image", Cause.NO_IMAGE),
        ("no-space", Cause.NO_IMAGE),
        ("wrong-host", Cause.LOST),
    ],
)
def test_a_host_that_ran_nothing_says_why(outcome: str, cause: Cause) -> None:
    found = result(outcome=outcome, reason="docker: not installed")
    decided = decide(ASKED, job("COMPLETED"), found, 0)
    assert isinstance(decided, State)
    assert (decided.cause, decided.reason) == (cause, "docker: not installed")


def test_a_node_that_was_down_is_not_asked_for_its_job() -> None:
    skipped = Submission(environments=("demo",), cause="down", reason="the node is down: fan")
    decided = decide(skipped, None, None, 1e6)
    assert isinstance(decided, State)
    assert decided.title == "not checked (down)"

"""A job's result counts only as a whole, and only for the submission that it is of."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.fleet.jobs import Job
from freezer.fleet.trainings import result
from freezer.fleet.trainings.outcome import (
    LATE,
    REQUEUED,
    Ended,
    decide,
    deciding_rank,
    run_state,
)
from freezer.fleet.trainings.result import (
    LARGEST,
    OutOfReach,
    Problem,
    TrainingResult,
    parse_result,
    read_result,
)
from freezer.inside.freezer_host.result import sealed
from freezer.model.record.run import LATEST
from tests.support.cluster.trainings import rank, result_document, submission

WHOLE = sealed(result_document())
STATES = st.sampled_from(
    ["PENDING", "RUNNING", "COMPLETED", "CANCELLED", "TIMEOUT", "DEADLINE", "PREEMPTED",
     "NODE_FAIL", "FAILED", "OUT_OF_MEMORY", "BOOT_FAIL", "REQUEUED", "COMPLETING", "SOMETHING"]
)  # fmt: skip


def parse(data: bytes, **changes: Any) -> TrainingResult | Problem:
    return parse_result(data, submission(**changes))


def whole(*ranks: dict[str, Any], **changes: Any) -> TrainingResult:
    found = parse(sealed(result_document(*ranks, **changes)), ranks=max(1, len(ranks)))
    assert isinstance(found, TrainingResult), found
    return found


def test_a_whole_file_is_a_result() -> None:
    assert run_state(whole()) == ("finished", 0)


@given(st.integers(0, len(WHOLE) - 1))
def test_a_file_that_was_cut_off_is_none(length: int) -> None:
    assert isinstance(parse(WHOLE[:length]), Problem)


@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255))
def test_a_file_with_another_byte_is_none(place: int, change: int) -> None:
    edited = bytearray(WHOLE)
    edited[place] ^= change
    assert isinstance(parse(bytes(edited)), Problem)


@given(st.integers(0, len(WHOLE)), st.binary(min_size=1, max_size=40))
def test_a_file_with_more_bytes_is_none(place: int, more: bytes) -> None:
    assert isinstance(parse(WHOLE[:place] + more + WHOLE[place:]), Problem)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"run": "f" * 16}, "another run"),
        ({"nonce": "8" * 32}, "another submission"),
        ({"image": f"sha256:{'9' * 64}"}, "another image"),
        ({"ranks": []}, "ranks"),
        ({"ranks": [rank(1)]}, "ranks"),
        ({"ranks": [rank(0), rank(0)]}, "ranks"),
        ({"ranks": [rank(exit=None)]}, "no exit code"),
        ({"ranks": [rank(exit=256)]}, "another form"),
        ({"outcome": "won"}, "another form"),
        ({"schema": "freezer/run-result/2"}, "another form"),
        ({"outputs": [["a", -1, "0" * 64]]}, "another form"),
        ({"outputs": [["a", 1 << 63, "0" * 64]]}, "another form"),
        ({"outputs": [["a", 1, "0" * 64], ["a", 2, "1" * 64]]}, "there twice"),
        ({"ended": LATEST + 1}, "another form"),
        ({"ended": -1}, "another form"),
        ({"restarts": 1 << 80}, "another form"),
        ({"ended": float("nan")}, "another form"),
        ({"left-out": ["x" * (1 << 18)]}, "another form"),
        ({"ranks": [rank(started=None)]}, "without its times"),
        ({"ranks": [rank(ended=None)]}, "without its times"),
        ({"ranks": [rank(started=LATEST + 1)]}, "another form"),
        ({"ranks": [rank(node="\ud800")]}, "another form"),
        ({"ranks": [{**rank(), "output": {"bytes": 1 << 70, "sha256": "0" * 64}}]}, "another form"),
        ({"more": 1}, "another form"),
    ],
)
def test_a_sealed_file_of_something_else_is_refused(changes: Any, said: str) -> None:
    document = {**result_document(), **changes}
    found = parse(sealed(document))
    assert isinstance(found, Problem)
    assert said in found.reason


@pytest.mark.parametrize(
    "path",
    ["", "/etc/passwd", "../x", "a/../../x", "a/./b", "a//b", "a/", ".", "..", "a\0b", "\ud800",
     "/".join("a" * 102), "x" * (1 << 17)],
)  # fmt: skip
def test_an_output_outside_of_its_folder_is_refused(path: str) -> None:
    found = parse(sealed(result_document(outputs=[[path, 1, "0" * 64]])))
    assert isinstance(found, Problem)
    assert "outputs" in found.reason


@given(
    st.lists(st.sampled_from(["a", "b c", "é", "..x", "x..", "-"]), min_size=1, max_size=101),
    st.integers(0, (1 << 62) - 1),
)
def test_an_output_inside_of_its_folder_is_kept(parts: list[str], size: int) -> None:
    path = "/".join(parts)
    assert whole(outputs=[[path, size, "0" * 64]]).outputs == ((path, size, "0" * 64),)


def test_a_file_that_is_too_large_is_not_parsed() -> None:
    assert isinstance(parse(b"x" * (LARGEST + 1)), Problem)


def test_a_file_that_is_not_there_differs_from_a_folder_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "1" / "result.json"
    assert isinstance(read_result(path, submission()), OutOfReach)
    path.parent.mkdir()
    assert read_result(path, submission()) is None


@pytest.mark.parametrize("error", [errno.EIO, errno.ESTALE, errno.EACCES, errno.ENOTCONN])
def test_a_shared_folder_that_fails_says_nothing_of_the_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    def fails(*_: object) -> bytes:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(result, "read_untrusted", fails)
    assert read_result(tmp_path / "r", submission()) == OutOfReach(os.strerror(error))


@pytest.mark.parametrize("kind", [os.mkdir, os.mkfifo, lambda path: path.symlink_to("/x")])
def test_what_is_no_file_is_no_result(tmp_path: Path, kind: Callable[[Path], None]) -> None:
    path = tmp_path / "result.json"
    kind(path)
    assert isinstance(read_result(path, submission()), Problem)


def test_a_result_counts_whatever_the_jobs_state_is() -> None:
    assert decide(submission(), whole(), Job("7", "x", "NODE_FAIL"), 0) == whole()


@given(STATES, st.floats(0, 1e4), st.booleans(), st.booleans())
def test_without_a_result_no_job_makes_a_finished_run(
    state: str, age: float, requeue: bool, damaged: bool
) -> None:
    result = Problem("the result file was cut off") if damaged else None
    found = decide(submission(requeue=requeue), result, Job("7", "x", state, "n1", "0:0"), age)
    assert found is None or isinstance(found, Ended)
    if isinstance(found, Ended):
        assert found.state in ("interrupted", "failed")
        assert found.reason
        assert not damaged or "cut off" in found.reason


@pytest.mark.parametrize(
    ("state", "becomes"),
    [("CANCELLED", "interrupted"), ("TIMEOUT", "interrupted"), ("DEADLINE", "interrupted"),
     ("PREEMPTED", "interrupted"), ("NODE_FAIL", "interrupted"), ("FAILED", "failed"),
     ("OUT_OF_MEMORY", "failed"), ("PENDING", None), ("RUNNING", None), ("COMPLETING", None)],
)  # fmt: skip
def test_the_jobs_state_says_why(state: str, becomes: str | None) -> None:
    found = decide(submission(), None, Job("7", "x", state, "n1", "0:0"), 0)
    assert (found.state if isinstance(found, Ended) else None) == becomes


def test_a_job_that_may_be_requeued_is_given_time() -> None:
    job, one = Job("7", "x", "NODE_FAIL", "n1"), submission(requeue=True)
    assert decide(one, None, job, REQUEUED - 1) is None
    assert isinstance(decide(one, None, job, REQUEUED), Ended)
    assert isinstance(decide(submission(), None, job, 0), Ended)


def test_lists_are_late_and_so_are_files() -> None:
    done = Job("7", "x", "COMPLETED", "n1", "0:0")
    for job in (None, done):
        assert decide(submission(), None, job, LATE - 1) is None
        found = decide(submission(), None, job, LATE)
        assert isinstance(found, Ended)
        assert found.state == "interrupted"


def test_the_rank_that_failed_first_decides() -> None:
    late = rank(0, exit=137, ended=20)
    first = rank(2, exit=3, ended=10)
    found = whole(late, rank(1, outcome="lost", exit=None, ended=None), first)
    assert deciding_rank(found).rank == 2
    assert run_state(found) == ("failed", 3)


@pytest.mark.parametrize("lost", [0, 1])
@pytest.mark.parametrize("outcome", ["lost", "no-space", "ran"])
def test_a_rank_without_an_exit_code_is_no_success(lost: int, outcome: str) -> None:
    ranks = [rank(0), rank(1)]
    ranks[lost] |= {"outcome": outcome, "exit": None}
    assert run_state(whole(*ranks)) == ("interrupted", None)

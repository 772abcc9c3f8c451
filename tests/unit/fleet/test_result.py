"""A result file counts only as a whole, and only for the attempt, host and environment it is of."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.fleet.result import LARGEST, HostResult, parse_result, read_result
from freezer.fleet.sealed import Problem
from freezer.fleet.trainings import result as trainings
from freezer.inside.freezer_host.result import LARGEST as LARGEST_ON_HOST
from freezer.inside.freezer_host.result import is_intact, is_written, sealed
from tests.support.cluster.fleets import (
    FLEET,
    NONCE,
    attempt,
    environment,
    host_line,
    result,
    result_document,
)
from tests.support.project.records import lines

WHOLE = sealed(result_document())


def parse(data: bytes) -> HostResult | Problem:
    return parse_result(data, FLEET, attempt(), "n1", environment())


def test_a_whole_file_is_a_result() -> None:
    found = parse(WHOLE)
    assert isinstance(found, HostResult)
    assert (found.host, found.outcome, found.exit) == ("n1", "ran", 0)


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
    ("key", "value", "said"),
    [
        ("fleet", "20261130-120000-ffff", "another fleet"),
        ("attempt", 2, "another attempt"),
        ("nonce", "8" * 32, "another submission"),
        ("host", "n2", "another host"),
        ("environment", "other", "another environment"),
        ("lock-id", "9" * 64, "another lock id"),
        ("image", f"sha256:{'9' * 64}", "another image"),
        ("schema", "freezer/host-result/2", "another form"),
        ("outcome", "passed", "another form"),
        ("facts", {"a": {}}, "another form"),
        ("unknown", 1, "another form"),
    ],
)
def test_a_sealed_file_of_something_else_is_none(key: str, value: object, said: str) -> None:
    found = parse(sealed({**result_document(), key: value}))
    assert isinstance(found, Problem)
    assert said in found.reason


def test_a_file_that_is_too_large_is_not_parsed() -> None:
    found = parse(WHOLE + b" " * LARGEST)
    assert isinstance(found, Problem)
    assert "larger than" in found.reason


def test_reading_tells_a_missing_file_from_one_that_cannot_be_read(tmp_path: Path) -> None:
    asked = FLEET, attempt(), "n1", environment()
    assert read_result(tmp_path / "none.json", *asked) is None
    assert isinstance(read_result(tmp_path, *asked), Problem)
    (tmp_path / "n1.json").write_bytes(WHOLE)
    assert isinstance(read_result(tmp_path / "n1.json", *asked), HostResult)
    assert is_written(str(tmp_path / "n1.json"), NONCE)
    assert not is_written(str(tmp_path / "n1.json"), "8" * 32)


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.lists(st.text()), min_size=1))
def test_whatever_is_sealed_is_intact(document: dict[str, object]) -> None:
    data = sealed(document)
    assert is_intact(data)
    assert not is_intact(data[:-1])


def test_equal_results_have_one_fingerprint_whatever_host_and_time() -> None:
    timing = b'::freezer:: {"kind": "timing", "name": "step", "seconds": 1.5, "training": "numpy"}'
    other = result(told=[timing, *lines()], host_facts={"kernel": "6.6"})
    assert other.fingerprint() == result().fingerprint()
    assert result(told=lines(weight=1.5)).fingerprint() != result().fingerprint()
    assert result(lines=["\ud800"]).fingerprint()
    assert result(lines=["\ud800"]).record_lines() == [b"?"]
    disguised = lines()[0].replace(b"numpy", b'\\"timing\\"', 1)
    assert result(told=[disguised, *lines()[1:]]).fingerprint() != result().fingerprint()
    assert host_line() in result().lines


def test_a_result_that_ran_on_another_node_is_none() -> None:
    found = parse(sealed(result_document(node="n2")))
    assert found == Problem("the result file is of the node n2")
    moved = parse(sealed(result_document(node="n2", outcome="wrong-host", lines=[])))
    assert isinstance(moved, HostResult)


def test_a_pipe_or_a_link_is_neither_read_nor_taken_for_written(tmp_path: Path) -> None:
    (tmp_path / "whole").write_bytes(WHOLE)
    (tmp_path / "link").symlink_to("whole")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe"):
        found = read_result(tmp_path / name, FLEET, attempt(), "n1", environment())
        assert isinstance(found, Problem)
        assert not is_written(str(tmp_path / name), NONCE)
    assert is_written(str(tmp_path / "whole"), NONCE)


def test_a_requeued_job_reads_every_result_that_is_taken_from_it() -> None:
    """A result that it could not read whole would not count, and the training would run twice."""
    assert max(LARGEST, trainings.LARGEST) <= LARGEST_ON_HOST

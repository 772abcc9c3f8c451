"""What a training says is read strictly: silence, nonsense and floods are no pass."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from records import lines

from freezer.errors import CheckError
from freezer.model.record import PREFIX, parse_lines


def line(**values):
    return PREFIX + json.dumps({"training": "own", **values}).encode()


def training(told):
    return parse_lines(told)[1][0]


def test_a_whole_training_has_no_failure():
    assert training(lines()).failure is None


def test_without_an_end_a_training_failed():
    assert "recorder.end()" in training(lines(end=False)).failure


def test_a_training_that_tells_no_numbers_failed():
    told = [line(kind="version", name="x", value="1"), line(kind="end", name="own")]
    assert "nothing to compare" in training(told).failure


def test_a_failure_is_kept_with_its_words():
    told = [*lines("own"), line(kind="failed", name="own", value="exit status 1\nKeyError")]
    assert "KeyError" in training(told).failure


@pytest.mark.parametrize(
    "bad",
    [
        PREFIX + b"{",
        PREFIX + b"[]",
        PREFIX + b"\xff\xfe",
        PREFIX + b'{"kind": "loss"}',
        line(kind="loss", name="loss", step=1, value=0.5),
        line(kind="loss", name="loss", step=1, value="0.5"),
        line(kind="loss", name="loss", step=-1, value="0x1.0p+0"),
        line(kind="tensor", name="w", step=0),
        line(kind="secret", name="w"),
        line(kind="data", name="x", sha256="123"),
        line(kind="loss", name="x" * 2_000_000, step=1, value="0x1.0p+0"),
        PREFIX + b'{"kind": "host", "host": {"class": "../../etc"}}',
    ],
)
def test_what_is_not_of_the_protocol_is_named_by_line(bad):
    with pytest.raises(CheckError, match="line 3 of the training's record"):
        parse_lines([*lines()[:2], bad])


def test_nan_and_infinity_are_values():
    told = [line(kind="loss", name="loss", step=n, value=v) for n, v in enumerate(("nan", "-inf"))]
    assert training([*told, line(kind="end", name="own")]).failure is None


@given(st.binary(max_size=100))
def test_no_bytes_make_it_fail_otherwise(data):
    with contextlib.suppress(CheckError):
        parse_lines([PREFIX + data])

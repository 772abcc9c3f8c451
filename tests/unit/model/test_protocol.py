"""What a training says is read strictly: silence, nonsense and floods are no pass."""

import base64
import contextlib
import json
import math
import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.errors import CheckError
from freezer.model.record.protocol import PREFIX, parse_lines
from tests.support.project.records import HOST, lines


def line(**values):
    return PREFIX + json.dumps({"training": "own", **values}).encode()


def tensor(**changes):
    sample = base64.b64encode(struct.pack("<2f", 1, 2)).decode()
    values = {"name": "w", "step": 0, "dtype": "<f4", "shape": [2], "stride": 1}
    return line(kind="tensor", **{**values, "sha256": "1" * 64, "sample": sample, **changes})


END = line(kind="end", name="own")


def training(told):
    return parse_lines(told)[1][0]


def test_a_whole_training_has_no_failure():
    assert training(lines()).failure is None


def test_without_an_end_a_training_failed():
    assert "recorder.end()" in training(lines(end=False)).failure


def test_a_training_that_tells_no_numbers_failed():
    told = [line(kind="version", name="x", value="1"), END]
    assert "nothing to compare" in training(told).failure


def test_a_failure_is_kept_with_its_words():
    told = [*lines("own"), line(kind="failed", name="own", value="exit status 1\nKeyError")]
    assert "KeyError" in training(told).failure


def test_a_failure_in_no_unicode_can_still_be_shown():
    told = [PREFIX + b'{"training": "own", "kind": "failed", "value": "\\ud800"}']
    training(told).failure.encode()


def test_a_scalar_and_an_empty_tensor_are_tensors():
    told = [tensor(shape=[], sample=""), tensor(shape=[0], sample="")]
    with pytest.raises(CheckError, match="sample does not hold 1 elements of 4 bytes"):
        parse_lines(told[:1])
    assert training([told[1], END]).failure is None


@pytest.mark.parametrize(
    "bad",
    [
        PREFIX + b"{",
        PREFIX + b"[]",
        PREFIX + b"[" * 100_000,
        PREFIX + b'{"kind":' * 100_000,
        PREFIX + b"\xff\xfe",
        PREFIX + b'{"kind": "loss"}',
        PREFIX + b'{"training": 1, "kind": "end"}',
        PREFIX + b'{"training": "\\ud800", "kind": "end"}',
        PREFIX + b'{"training": "a\\u001b[31m", "kind": "end"}',
        line(kind="loss", name="loss", step=1, value=0.5),
        line(kind="loss", name="loss", step=1, value="0.5"),
        line(kind="loss", name="loss", step=1, value="0x1.0p+99999"),
        line(kind="loss", name="loss", step=1, value="0x1.0p+999999999999"),
        line(kind="loss", name="loss", step=-1, value="0x1.0p+0"),
        line(kind="loss", name="a\nb", step=1, value="0x1.0p+0"),
        line(kind="loss", name="\u202eevil", step=1, value="0x1.0p+0"),
        line(kind="tensor", name="w", step=0),
        tensor(sample="A"),
        tensor(sample="AAAA"),
        tensor(shape=[3]),
        tensor(shape=[-2]),
        tensor(shape=[10**30]),
        tensor(shape=[1] * 33),
        tensor(shape=[2**32, 2**31]),
        tensor(shape=[2**52] * 32),
        tensor(stride=2**63),
        tensor(stride=0),
        tensor(stride=None),
        tensor(sample=None),
        line(kind="timing", name="x", seconds=-1),
        line(kind="timing", name="x", seconds=float("nan")),
        tensor(dtype="<c8"),
        tensor(sketch="AAAA"),
        line(kind="secret", name="w"),
        line(kind="data", name="x", sha256="123"),
        line(kind="loss", name="x" * 2_000_000, step=1, value="0x1.0p+0"),
        PREFIX + b'{"kind": "host", "host": {"class": "../../etc"}}',
    ],
)
def test_what_is_not_of_the_protocol_is_named_by_line(bad):
    with pytest.raises(CheckError, match="line 3 of the training's record") as raised:
        parse_lines([*lines()[:2], bad])
    assert raised.value.found
    assert raised.value.expected


def test_an_unknown_kind_is_told_with_those_there_are():
    with pytest.raises(CheckError, match=r"the kind 'secret'; known are host, version"):
        parse_lines([line(kind="secret", name="w")])


def test_what_is_wrong_is_told_by_its_key():
    with pytest.raises(CheckError, match=r"loss: step: .*greater than or equal to 0"):
        parse_lines([line(kind="loss", name="loss", step=-1, value="0x1.0p+0")])


def test_a_training_cannot_pass_for_another_host():
    told = PREFIX + json.dumps({"kind": "host", "host": HOST}).encode()
    assert parse_lines([told])[0].cpu == "Test CPU"
    with pytest.raises(CheckError, match="a second line of kind 'host'"):
        parse_lines([told, told])


def test_nan_and_infinity_are_values():
    told = [line(kind="loss", name="loss", step=n, value=v) for n, v in enumerate(("nan", "-inf"))]
    assert training([*told, END]).failure is None


def test_a_flood_ends_with_a_clear_word(monkeypatch):
    monkeypatch.setattr("freezer.model.record.protocol._MOST_OBSERVATIONS", 3)
    told = [line(kind="metric", name="m", step=n, value="0x0.0p+0") for n in range(4)]
    with pytest.raises(CheckError, match="more than 3 observations"):
        parse_lines(told)


def test_a_shape_of_many_sizes_is_refused_at_once():
    """The product of 50,000 sizes took 87 seconds, past every limit."""
    started = time.process_time()
    with pytest.raises(CheckError, match=r"tensor: shape: .*at most 32 items"):
        parse_lines([tensor(shape=[9007199254740991] * 50_000)])
    assert time.process_time() - started < 2


@given(st.lists(st.integers(0, 2**53), max_size=40))
def test_a_shape_is_taken_where_its_elements_can_be_counted(shape):
    told = [tensor(shape=shape, sample=None, stride=None), END]
    countable = len(shape) <= 32 and math.prod(shape) < 2**63 and all(n < 2**53 for n in shape)
    if countable:
        assert training(told).observations[0].count == math.prod(shape)
    else:
        with pytest.raises(CheckError, match="line 1 of the training's record"):
            parse_lines(told)


def test_reading_ends_at_its_deadline():
    with pytest.raises(CheckError, match="took too long") as raised:
        parse_lines(lines(), time.monotonic() - 1)
    assert "line 1 of" in raised.value.found


def test_a_record_is_no_larger_than_what_can_be_kept(monkeypatch):
    monkeypatch.setattr("freezer.model.record.protocol.LARGEST_RECORD", 500)
    with pytest.raises(CheckError, match="too large") as raised:
        parse_lines(lines())
    assert raised.value.expected == "at most 500 bytes"


def test_a_message_repeats_a_long_name_in_part_only():
    with pytest.raises(CheckError) as raised:
        parse_lines([line(kind="x" * 100_000, name="w")])
    assert len(raised.value.found) < 500


@given(st.binary(max_size=100))
def test_no_bytes_make_it_fail_otherwise(data):
    with contextlib.suppress(CheckError):
        parse_lines([PREFIX + data])


@given(
    st.dictionaries(
        st.sampled_from(
            ["training", "kind", "name", "step", "value", "sha256", "dtype", "shape", "sample"]
        ),
        st.one_of(
            st.integers(),
            st.text(max_size=8),
            st.sampled_from(["own", "loss", "tensor", "end", "failed", "data", "<f4", "nan"]),
            st.lists(st.integers(), max_size=3),
            st.none(),
        ),
    )
)
def test_no_object_makes_it_fail_otherwise(document):
    with contextlib.suppress(CheckError):
        parse_lines([PREFIX + json.dumps(document).encode()])

"""What the recorder writes: one form for whatever it is given."""

import array
import base64
import hashlib
import io
import json
import math
import struct
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.inside.freezer_inside.record import PREFIX, SAMPLE, WHOLE, Recorder, hexadecimal
from freezer.inside.freezer_inside.sketch import SKETCHED, SUMS, sketch
from freezer.model.record.record import Tensor


def told(tell):
    stream = io.StringIO()
    tell(Recorder("own", stream))
    text = stream.getvalue()
    assert text.startswith(f"\n{PREFIX}")
    assert text.endswith("}\n")
    line = json.loads(text.removeprefix(f"\n{PREFIX}"))
    assert line.pop("training") == "own"
    return line


def tensor(values, **more):
    return Tensor.model_validate(told(lambda recorder: recorder.tensor("w", values, **more)))


@given(st.floats())
def test_a_loss_comes_back_to_the_bit(value):
    line = told(lambda recorder: recorder.loss(3, value))
    back = float.fromhex(line["value"])
    assert (
        math.isnan(value)
        if math.isnan(back)
        else struct.pack("<d", back) == struct.pack("<d", value)
    )


def test_names_of_what_is_not_finite():
    assert [hexadecimal(v) for v in (math.nan, math.inf, -math.inf)] == ["nan", "inf", "-inf"]


def test_data_by_bytes_or_by_digest():
    digest = hashlib.sha256(b"x").hexdigest()
    assert told(lambda recorder: recorder.data("d", b"x"))["sha256"] == digest
    assert told(lambda recorder: recorder.data("d", digest))["sha256"] == digest


@pytest.mark.parametrize("digest", ["", "train.csv", "A" * 64, "1" * 63])
def test_a_name_in_place_of_a_digest_is_refused(digest):
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        Recorder("own", io.StringIO()).data("d", digest)


@pytest.mark.parametrize(
    ("values", "dtype", "raw"),
    [
        (b"abc", "<u1", b"abc"),
        (bytearray(b"abc"), "<u1", b"abc"),
        ([1.0, 2.0], "<f8", struct.pack("<2d", 1, 2)),
        ((1, 2), "<f8", struct.pack("<2d", 1, 2)),
        (array.array("d", [1, 2]), "<f8", struct.pack("<2d", 1, 2)),
    ],
)
def test_plain_values_are_tensors_too(values, dtype, raw):
    found = tensor(values)
    assert (found.dtype, found.sha256) == (dtype, hashlib.sha256(raw).hexdigest())
    assert base64.b64decode(found.sample) == raw


def test_a_small_tensor_is_told_whole_and_a_large_one_by_a_sample():
    small, large = tensor([0.5] * WHOLE), tensor([0.5] * (WHOLE + 1))
    assert (small.stride, small.sketch) == (1, None)
    assert large.stride > 1
    assert len(base64.b64decode(large.sample)) <= 8 * SAMPLE
    assert len(base64.b64decode(large.sketch)) == 8 * 2 * SUMS


def test_one_that_is_not_sampled_is_told_by_its_digest_alone():
    bare, whole = tensor([0.5, 1.0], sampled=False), tensor([0.5, 1.0])
    assert (bare.stride, bare.sample, bare.sketch) == (None, None, None)
    assert (bare.sha256, bare.shape, bare.dtype) == (whole.sha256, whole.shape, whole.dtype)


def test_a_timing_is_told_in_milliseconds():
    line = told(lambda recorder: recorder.timing("training", 1.23456))
    assert line == {"kind": "timing", "name": "training", "seconds": 1.235}


def test_a_huge_one_has_no_sketch():
    assert tensor(bytes(SKETCHED + 1)).sketch is None


class Complex:
    dtype = SimpleNamespace(kind="c", itemsize=8, byteorder="<")


def test_a_type_that_cannot_be_told_says_what_to_do():
    with pytest.raises(TypeError, match="convert it to a float type"):
        Recorder("own", io.StringIO()).tensor("w", Complex())


VALUES = [float((7 * n) % 31 - 15) for n in range(5000)]


def doubles(values):
    return sketch("<f8", struct.pack(f"<{len(values)}d", *values))


def changed(at, value):
    return [*VALUES[:at], value, *VALUES[at + 1 :]]


@given(st.integers(0, len(VALUES) - 1))
def test_a_sketch_has_a_part_of_every_element(at):
    one = struct.unpack(f"<{2 * SUMS}d", doubles(changed(at, VALUES[at] + 1)))
    other = struct.unpack(f"<{2 * SUMS}d", doubles(VALUES))
    assert sum(abs(a - b) for a, b in zip(one, other, strict=True)) == 2.0


@given(st.integers(0, 4997))
def test_neighbours_that_change_places_are_seen(at):
    swapped = [*VALUES]
    swapped[at], swapped[at + 1] = VALUES[at + 1], VALUES[at]
    assert doubles(swapped) != doubles(VALUES)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e308])
def test_what_is_not_finite_is_no_number_in_its_sums_only(value):
    values = [value, value, *VALUES[2:]] if value == 1e308 else changed(0, value)
    sums = struct.unpack(f"<{2 * SUMS}d", doubles(values))
    odd = sum(1 for one in sums if not math.isfinite(one) or abs(one) > 1e300)
    assert 1 <= odd <= 4

"""Distances say how much, in which element, and nothing where that cannot be known."""

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.check.compare.measure import distance, within
from freezer.model.record.record import Number, ReadBack
from tests.support.project.records import Floats, record, training_lines

FINITE = st.floats(allow_nan=False, allow_infinity=False, width=32)


def tensor(*values, shape=None):
    array = Floats(*values)
    array.shape = shape or array.shape
    [found] = record(training_lines("numpy", "w", array, step=3)).trainings[0].observations
    return found


def number(value):
    return Number(kind="loss", name="loss", step=1, value=float(value).hex())


def single(value, steps):
    return struct.unpack(
        "<f", struct.pack("<i", struct.unpack("<i", struct.pack("<f", value))[0] + steps)
    )[0]


@pytest.mark.parametrize("steps", [1, 2, 1000])
def test_ulps_are_counted_in_the_tensors_own_type(steps):
    found = distance(tensor(1.0, 2.0), tensor(single(1.0, steps), 2.0))
    assert (found.ulps, found.median, found.place) == (steps, steps, "element [0]")


def test_the_median_is_over_what_differs():
    values = [single(1.0, n) for n in (0, 0, 0, 1, 1, 1000)]
    found = distance(tensor(*[1.0] * 6), tensor(*values))
    assert (found.ulps, found.median, found.place) == (1000, 1, "element [3]")


def test_a_place_is_an_index_of_the_shape():
    one, other = [0.0] * 24, [0.0] * 24
    other[17] = 1.0
    assert distance(tensor(*one, shape=(2, 3, 4)), tensor(*other, shape=(2, 3, 4))).place == (
        "element [1, 1, 1]"
    )


def test_signs_of_zero_are_a_difference_of_no_size():
    found = distance(tensor(0.0), tensor(-0.0))
    assert (found.ulps, found.relative, found.place) == (0, 0.0, "element [0]")


@given(st.lists(FINITE, min_size=1, max_size=20), st.data())
def test_the_relative_error_is_that_of_norms(values, data):
    others = data.draw(st.lists(FINITE, min_size=len(values), max_size=len(values)))
    found = distance(tensor(*values), tensor(*others)).relative
    norm = math.hypot(*values)
    if norm == 0:
        assert found == (0.0 if not any(others) else None)
    else:
        assert found == pytest.approx(math.dist(values, others) / norm)


@pytest.mark.parametrize("odd", [math.nan, math.inf])
def test_what_is_not_finite_has_no_relative_error(odd):
    assert distance(tensor(1.0, 2.0), tensor(odd, 2.0)).relative is None
    assert not within("numpy", tensor(1.0, 2.0), tensor(odd, 2.0))


def test_tensors_of_other_shapes_are_not_measured():
    assert distance(tensor(1.0), tensor(1.0, 1.0)).relative is None
    assert not within("numpy", tensor(1.0), tensor(1.0, 1.0))


@given(st.integers(0, 4999), st.floats(-1, 1, width=32))
def test_the_error_of_a_large_tensor_is_estimated_within_a_factor_of_two(at, change):
    values = [1.0 + n % 5 for n in range(5000)]
    others = [*values]
    others[at] += change
    found = distance(tensor(*values), tensor(*others))
    true = math.dist(values, struct.unpack("<5000f", struct.pack("<5000f", *others))) / math.hypot(
        *values
    )
    assert true / 2 <= found.relative <= 2 * true or true < 1e-12


def test_the_tolerance_of_losses_is_relative():
    assert within("numpy", number(1000), number(1000.001))
    assert not within("numpy", number(1), number(1.001))
    assert not within("sklearn", number(1000), number(1000.001))
    assert not within("numpy", number(0), number(1e-300))


def test_versions_and_own_trainings_have_none():
    version = ReadBack(kind="version", name="numpy", value="1")
    assert not within("numpy", version, version)
    assert not within("own", number(1), number(1))


def test_mixed_precision_has_a_tolerance_of_its_own():
    mixed = number(1).model_copy(update={"name": "mixed precision: loss"})
    assert within("torch", mixed, mixed.model_copy(update={"value": (1.0005).hex()}))
    assert not within("torch", mixed, mixed.model_copy(update={"value": (1.002).hex()}))
    assert not within("torch", number(1), number(1.0005))


NOTES = [
    pytest.param(1.0, -1.0, "the signs differ", id="signs"),
    pytest.param(1.0, math.nan, "one of the two is NaN", id="NaN found"),
    pytest.param(math.nan, 1.0, "one of the two is NaN", id="NaN expected"),
    pytest.param(1.0, math.inf, "one of the two is infinite", id="infinite"),
    pytest.param(-math.inf, math.inf, "the signs differ", id="both infinite"),
    pytest.param(math.inf, math.nan, "one of the two is NaN", id="infinite and NaN"),
    pytest.param(0.0, -0.0, "the signs of zero differ", id="zeros"),
    pytest.param(1.0, 2.0, None, id="a plain difference"),
]


@pytest.mark.parametrize(("left", "right", "note"), NOTES)
def test_what_no_distance_shows_is_said_in_words(left, right, note):
    assert distance(number(left), number(right)).note == note
    assert distance(tensor(left), tensor(right)).note == note


def test_a_nan_has_a_bit_pattern_and_no_distance():
    assert distance(tensor(math.nan), tensor(1.0)).ulps == 0
    found = distance(tensor(math.nan, 1.0), tensor(1.0, single(1.0, 3)))
    assert (found.ulps, found.median) == (3, 3)
    assert found.note == "one of the two is NaN in 1 of 2 elements compared"


def test_the_first_differing_element_is_in_decimal():
    found = distance(tensor(0.5, 1.0, 2.0), tensor(0.5, -1.0, 2.5))
    assert found.values == ("element [1] is 1", "element [1] is -1")
    assert found.note == "the signs differ in 1 of 3 elements compared"
    assert distance(tensor(0.5), tensor(0.5)).values is None


@given(st.floats(), st.floats())
def test_a_distance_is_said_to_be_one_only_between_finite_numbers(left, right):
    found = distance(number(left), number(right))
    finite = math.isfinite(left) and math.isfinite(right)
    assert (found.ulps is not None) is finite
    assert (
        (found.note is not None)
        or finite
        or (math.isnan(left) and math.isnan(right))
        or (left == right)
    )

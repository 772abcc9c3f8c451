"""Every change that could move a result is seen, and nothing else is."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from records import HOST, lines, record

from freezer.check.compare import compare
from freezer.check.ulps import double_ulps
from freezer.model.verdict import Word

NEXT = math.nextafter


def verdict(changed, **host):
    return compare(record(), record(changed, **host))


def test_the_same_record_is_identical():
    result = compare(record(), record())
    assert (result.word, result.good, result.causes) == (Word.IDENTICAL, True, ())
    assert (result.trainings[0].steps, result.trainings[0].observations) == (2, 7)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"loss": NEXT(0.5, 1)}, "loss at step 2"),
        ({"weight": 1.0000001}, "w1 at step 2"),
        ({"data": b"dat_"}, "data 'features'"),
        ({"seed": "1235"}, "setting of FREEZER_SEED"),
    ],
)
def test_one_bit_of_anything_is_drift_and_named(change, what):
    result = verdict(lines(**change))
    assert (result.word, result.good) == (Word.DRIFTED, False)
    assert result.trainings[0].first is not None
    assert result.trainings[0].first.what == what


def test_the_distance_of_one_bit_is_one_ulp():
    first = verdict(lines(weight=1.0000001)).trainings[0].first
    assert (first.ulps, first.step, first.differing, first.of) == (1, 2, 1, 7)
    assert first.relative == pytest.approx(3.2e-8, rel=0.1)


def test_a_small_difference_is_only_equivalent_where_the_hosts_explain_it():
    changed = lines(loss=NEXT(0.5, 1))
    assert verdict(changed).word is Word.DRIFTED
    assert verdict(changed, kernel="6.2", cpus=4).word is Word.DRIFTED
    explained = verdict(changed, flags=["avx2"], cpu="Another CPU")
    assert explained.word is Word.EQUIVALENT
    assert any("without avx512f" in cause for cause in explained.causes)


def test_a_large_difference_is_drift_whatever_explains_it():
    result = verdict(lines(loss=0.6), settings={"OMP_NUM_THREADS": "1"})
    assert result.word is Word.DRIFTED
    assert result.causes[0] == "OMP_NUM_THREADS is 1, was 2"


def test_other_data_is_never_within_tolerance():
    assert verdict(lines(data=b"other"), cpu="Another CPU").word is Word.DRIFTED


def test_a_training_of_the_users_own_has_no_tolerance():
    expected = record(lines("own"))
    found = record(lines("own", loss=NEXT(0.5, 1)), cpu="Another CPU")
    assert compare(expected, found).word is Word.DRIFTED


def test_observations_that_are_missing_or_in_another_order_are_drift():
    told = lines()
    without = [*told[:4], *told[5:]]
    swapped = [*told[:4], told[5], told[4], *told[6:]]
    for changed in (without, swapped):
        result = verdict(changed)
        assert result.word is Word.DRIFTED
        assert result.trainings[0].first.what == "the order of what the training tells"


def test_a_training_that_failed_or_did_not_run_fails_the_check():
    assert verdict(lines(end=False)).word is Word.FAILED
    assert compare(record([*lines(), *lines("sklearn")]), record()).word is Word.FAILED


def test_a_training_without_a_reference_is_not_a_pass():
    result = compare(record(), record([*lines(), *lines("sklearn")]))
    assert (result.word, result.good) == (Word.NOT_COMPARABLE, False)


def test_nothing_at_all_is_not_a_pass():
    assert compare(record([]), record([])).good is False


def test_other_code_is_not_comparable():
    other = record().model_copy(update={"inside": "4" * 64})
    assert compare(record(), other).word is Word.NOT_COMPARABLE


def test_the_sample_alone_decides_nothing():
    first = record().trainings[0]
    tensor = first.observations[-1].model_copy(update={"sample": "AAAA"})
    training = first.model_copy(update={"observations": (*first.observations[:-1], tensor)})
    assert compare(record(), record().model_copy(update={"trainings": (training,)})).good


@given(st.floats(allow_nan=False, allow_infinity=False, max_value=1e300, min_value=-1e300))
def test_neighbours_are_one_ulp_apart(value):
    assert double_ulps(value, NEXT(value, math.inf)) == 1
    assert double_ulps(value, value) == 0


def test_zero_has_two_signs_and_no_distance():
    assert double_ulps(0.0, -0.0) == 0
    assert double_ulps(math.nan, 1.0) is None


def test_host_facts_are_kept_whole():
    assert record().host.class_ == HOST["class"]

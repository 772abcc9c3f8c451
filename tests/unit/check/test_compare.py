"""Every change that could move a result is seen, and nothing else is."""

import io
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.check.compare.compare import compare
from freezer.check.compare.ulps import number_distance
from freezer.inside.freezer_inside.record import Recorder
from freezer.model.record.protocol import PREFIX
from freezer.model.record.verdict import Word
from tests.support.project.records import HOST, Floats, lines, record, training_lines

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
        ({"seed": "1235"}, "random numbers 'default_rng'"),
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


@pytest.mark.parametrize("flag", ["md_clear", "hypervisor", "ibpb"])
def test_how_a_machine_is_run_explains_no_number(flag):
    changed = lines(loss=NEXT(0.5, 1))
    result = verdict(changed, flags=["avx2", "avx512f", flag], cpu="Another name")
    assert result.word is Word.DRIFTED
    assert f"other CPU features: with {flag}" in result.causes


@pytest.mark.parametrize("training", ["numpy", "sklearn"])
@pytest.mark.parametrize("weight", [1e6, math.nan, math.inf, -1.0])
def test_a_large_difference_of_a_tensor_is_drift_in_any_step(training, weight):
    def tell(value):
        return training_lines(training, "ridge: coefficients", Floats(value, 2.0))

    result = compare(record(tell(1.0)), record(tell(weight), flags=["avx2"]))
    assert result.word is Word.DRIFTED


def large(**changed):
    values = [1.0 + n % 7 for n in range(5000)]
    for at, value in changed.items():
        values[int(at[1:])] = value
    return training_lines("sklearn", "coefficients", Floats(*values))


@pytest.mark.parametrize("at", [0, 1, 2, 2500, 4999])
@pytest.mark.parametrize("value", [1e9, math.nan, math.inf])
def test_no_element_of_a_large_tensor_can_hide_behind_its_sample(at, value):
    found = record(large(**{f"n{at}": value}), flags=["avx2"])
    assert compare(record(large()), found).word is Word.DRIFTED


def test_places_that_were_changed_cannot_hide_either():
    found = record(large(n100=1.0 + 101 % 7, n101=1.0 + 100 % 7), flags=["avx2"])
    assert compare(record(large()), found).word is Word.DRIFTED


def test_a_tensor_without_a_sketch_is_within_no_tolerance():
    changed = record(large(n0=1.0000001), flags=["avx2"])

    def without(made):
        [tensor] = made.trainings[0].observations
        bare = tensor.model_copy(update={"sketch": ""})
        training = made.trainings[0].model_copy(update={"observations": (bare,)})
        return made.model_copy(update={"trainings": (training,)})

    assert compare(without(record(large())), without(changed)).word is Word.DRIFTED


def test_the_first_element_that_differs_is_named():
    first = compare(record(lines()), record(lines(weight=5.0))).trainings[0].first
    assert first.place == "element [0]"
    assert compare(record(large()), record(large(n2500=9.0))).trainings[0].first.place == (
        "between elements [2449] and [2527]"
    )


def test_what_the_trainings_were_given_is_told_before_the_hosts():
    result = verdict(lines(data=b"other", seed="7"), cpu="Another CPU")
    assert result.causes == (
        "numpy: setting FREEZER_SEED is 7, was 1234",
        "numpy: the data 'features' differ",
        "numpy: the random numbers 'default_rng' differ",
        "the CPU: Another CPU, was Test CPU",
    )


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


def test_an_observation_that_is_missing_or_new_is_drift_and_named():
    told = lines()
    without = [*told[:4], *told[5:]]
    missing = verdict(without).trainings[0]
    assert (missing.word, missing.first.what) == (Word.DRIFTED, "loss at step 1")
    assert (missing.first.found, missing.first.differing, missing.first.of) == (
        "not recorded",
        1,
        7,
    )
    new = compare(record(without), record(told)).trainings[0].first
    assert (new.what, new.expected, new.step) == ("loss at step 1", "not recorded", 1)


def test_another_order_is_drift():
    told = lines()
    swapped = [*told[:4], told[5], told[4], *told[6:]]
    first = verdict(swapped).trainings[0].first
    assert first.what == "the order of the observations"
    assert (first.expected, first.found) == ("loss at step 1", "loss at step 2")


def test_the_same_name_may_be_told_more_than_once():
    told = lines()
    twice = [*told[:5], told[4], *told[5:]]
    assert compare(record(twice), record(twice)).word is Word.IDENTICAL
    assert verdict(twice).trainings[0].first.expected == "not recorded"


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
    assert number_distance(value, NEXT(value, math.inf)).ulps == 1
    assert number_distance(value, value).ulps == 0


def test_zero_has_two_signs_and_no_distance():
    assert number_distance(0.0, -0.0).ulps == 0
    assert number_distance(math.nan, 1.0).ulps is None


def test_host_facts_are_kept_whole():
    assert record().host.class_ == HOST["class"]


def steps(*weights, sampled=(3,)):
    stream = io.StringIO()
    recorder = Recorder("numpy", stream)
    for step, weight in enumerate(weights, 1):
        recorder.tensor("w", Floats(weight, 2.0), step, sampled=step in sampled)
    recorder.end()
    return record([line for line in stream.getvalue().encode().splitlines() if line])


def test_a_difference_known_by_digest_is_measured_where_the_tensor_is_next_sampled():
    expected = steps(1.0, 1.0, 1.0)
    first = compare(expected, steps(1.0, 1.0000001, 1.0000002)).trainings[0].first
    assert (first.what, first.measured, first.ulps) == ("w at step 2", "w at step 3", 2)
    assert first.place == "element [0]"


@pytest.mark.parametrize(
    ("after", "word"),
    [
        ((1.0, 1.0000001, 1.0000002), Word.EQUIVALENT),
        ((1.0, 1.0000001, 1.1), Word.DRIFTED),
        ((1.0, 1.0000001, 1.0), Word.DRIFTED),
    ],
    ids=["small", "large", "unmeasured"],
)
def test_what_is_known_by_digest_is_as_tolerable_as_what_is_measured_of_it(after, word):
    expected, found = steps(1.0, 1.0, 1.0), steps(*after)
    host = found.host.model_copy(update={"blas_kernels": ("Haswell",)})
    result = compare(expected, found.model_copy(update={"host": host}))
    assert result.word is word


def test_a_timing_is_never_compared():
    def timed(seconds):
        told = lines()
        told.insert(1, PREFIX + json.dumps({"training": "numpy", "kind": "timing", "name": "t",
                                            "seconds": seconds}).encode())  # fmt: skip
        return record(told)

    assert compare(timed(1), timed(100)).word is Word.IDENTICAL


def test_numbers_of_single_precision_are_measured_in_its_own_units():
    assert number_distance(0.5, 0.5 + 2**-24).ulps == 1
    assert number_distance(0.5, 0.5 + 2**-53).ulps == 1
    assert number_distance(1.0, 1e300).ulps > 2**52


def test_a_setting_is_told_first_only_where_no_number_differs():
    only = [line.replace(b'"1234"', b'"4321"') for line in lines()]
    assert verdict(only).trainings[0].first.what == "setting of FREEZER_SEED"
    assert verdict(only).word is Word.DRIFTED

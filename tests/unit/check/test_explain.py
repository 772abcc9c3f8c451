"""What is said of the cause, from what differs beside the numbers."""

import io

import pytest

from freezer.check.cause.not_repeatable import why_not_repeatable
from freezer.check.compare.differences import (
    differences_of_hosts,
    differences_of_inputs,
    explains,
)
from freezer.inside.freezer_inside.record import Recorder
from freezer.model.record.record import Host
from freezer.model.record.verdict import Difference
from tests.support.project.records import HOST, lines, record

REFERENCE = Host.model_validate(HOST)


def causes(**changes):
    return differences_of_hosts(REFERENCE, Host.model_validate({**HOST, **changes}))


def test_the_same_host_has_none():
    assert causes() == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"settings": {"OMP_NUM_THREADS": "1"}}, "OMP_NUM_THREADS is 1, was 2"),
        ({"settings": {}}, "OMP_NUM_THREADS is not set, was 2"),
        ({"blas-kernels": ["Haswell"]}, "the BLAS kernels: Haswell, was SkylakeX"),
        ({"blas-kernels": []}, "the BLAS kernels: none, was SkylakeX"),
        ({"blas": ["OpenBLAS 0.3.30, 1 thread"]}, "the BLAS: OpenBLAS 0.3.30, 1 thread, was none"),
        ({"level": "x86-64-v3"}, "the CPU's level: x86-64-v3, was x86-64-v4"),
        ({"libc": "glibc 2.40"}, "the C library: glibc 2.40, was glibc 2.36"),
        ({"flags": ["avx2"]}, "CPU features for arithmetic: without avx512f"),
        ({"flags": ["avx2", "fma"]}, "CPU features for arithmetic: without avx512f; with fma"),
    ],
)
def test_what_can_move_a_number_is_said_and_explains(change, said):
    assert causes(**change) == [said]
    assert explains(causes(**change))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kernel": "6.18"}, "the Linux kernel: 6.18, was 6.1"),
        ({"cpus": 8}, "the number of CPUs: 8, was 2"),
        ({"cpu": "Other CPU"}, "the CPU: Other CPU, was Test CPU"),
        ({"flags": ["avx2", "avx512f", "md_clear"]}, "other CPU features: with md_clear"),
    ],
)
def test_what_cannot_is_said_and_explains_nothing(change, said):
    assert causes(**change) == [said]
    assert not explains(causes(**change))


def test_settings_come_first_and_long_lists_are_cut():
    said = causes(
        kernel="6.18",
        settings={"OMP_NUM_THREADS": "1"},
        flags=["avx2", "avx512f", *(f"x{n}" for n in range(20))],
    )
    assert said[0].startswith("OMP_NUM_THREADS")
    assert said[1].endswith("and 12 more")
    assert said[2].startswith("the Linux kernel")


def first(what="loss at step 3", relative=None):
    return Difference(training="own", what=what, expected="a", found="b", relative=relative)


@pytest.mark.parametrize(
    ("difference", "inputs", "said"),
    [
        (first(), ["own: the random numbers 'x' differ"], "without a fixed seed"),
        (first(), ["own: the data 'x' differ"], "input is not the same in every run"),
        (first("data 'x'"), [], "input is not the same in every run"),
        (first(relative=1e-8), [], "threads that add"),
        (first(relative=0.3), [], "too large for rounding"),
        (first(relative=None), [], "too large for rounding"),
    ],
)
def test_why_two_runs_of_one_image_differ(difference, inputs, said):
    assert said in why_not_repeatable(difference, inputs)


def test_another_type_is_named_by_the_first_tensor_that_has_it():
    one = b'"dtype": "<f4"'
    told = [line.replace(one, b'"dtype": "<i4"') for line in lines()]
    before, now = record().trainings[0], record(told).trainings[0]
    assert differences_of_inputs(before, now) == [
        "numpy: it computes in another type: w1 is i4, was f4"
    ]
    assert differences_of_inputs(before, before) == []


def given(*settings, end=True):
    told = [line for line in lines(end=False) if b"FREEZER_SEED" not in line]
    for name, value in settings:
        stream = io.StringIO()
        Recorder("numpy", stream).setting(name, value)
        told.append(stream.getvalue().strip().encode())
    return record([*told, *(lines()[-1:] if end else ())]).trainings[0]


RATE = ("torch: learning rate", "0x1.0p-10 (float)")


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        (
            [RATE],
            [(RATE[0], "0x1.00001p-10 (float)")],
            [
                "setting torch: learning rate is 0.0009765634313225746 = 0x1.00001p-10 (float), was 0.0009765625 = 0x1.0p-10 (float)"
            ],
        ),
        (
            [],
            [RATE],
            ["setting torch: learning rate is 0.0009765625 = 0x1.0p-10 (float), was not recorded"],
        ),
        (
            [RATE],
            [],
            ["setting torch: learning rate is not recorded, was 0.0009765625 = 0x1.0p-10 (float)"],
        ),
        ([RATE, ("a", 1)], [("a", 1), RATE], []),
        ([("a", 1), ("a", 2)], [("a", 1), ("a", 2)], []),
        ([("a", 1), ("a", 2)], [("a", 1), ("a", 3)], ["setting a is 3, was 2"]),
    ],
)
def test_each_setting_that_is_another_one_is_said(before, now, said):
    assert differences_of_inputs(given(*before), given(*now)) == [f"numpy: {s}" for s in said]


def test_what_broke_off_is_not_said_to_lack_what_it_did_not_come_to():
    assert differences_of_inputs(given(RATE), given(end=False)) == []

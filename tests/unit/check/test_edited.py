"""Weights that were changed after the last step are told apart from those that were trained."""

import io

import pytest

from freezer.check.compare.compare import compare
from freezer.inside.freezer_inside.record import Recorder
from tests.support.project.records import Floats, record

SENTENCE = "it was changed after the last step, not by training"


def told(weights=(1.0, 2.0, 3.0), *, losses=(0.9, 0.8, 0.7), rate="1", probe=1.0, once=4.0):
    stream = io.StringIO()
    recorder = Recorder("numpy", stream)
    recorder.setting("learning rate", rate)
    for step, (weight, loss) in enumerate(zip(weights, losses, strict=True), 1):
        recorder.tensor("w1", Floats(weight, 0.5), step)
        recorder.tensor("w2", Floats(2.0, weight), step)
        recorder.loss(step, loss)
    recorder.tensor("predicted", Floats(once), 3)
    recorder.tensor("probe: sum", Floats(probe))
    recorder.end()
    return [line for line in stream.getvalue().encode().splitlines() if line]


def causes(*args, host=None, **changed):
    return compare(record(told()), record(told(*args, **changed), **(host or {}))).causes


def test_it_is_said_of_all_that_were_changed():
    what = "nothing but w1 at step 3, w2 at step 3 differs"
    [cause] = causes((1.0, 2.0, 3.5))
    assert cause == f"numpy: {what}, and everything computed before it is the same: {SENTENCE}"


def test_it_is_said_where_the_host_differs_in_nothing_that_moves_numbers():
    assert SENTENCE in causes((1.0, 2.0, 3.5), host={"kernel": "6.2"})[0]


def test_it_is_not_said_of_two_locks_which_differ_in_more_than_was_told():
    other = record(told((1.0, 2.0, 3.5))).model_copy(update={"lock_id": "9" * 64})
    assert compare(record(told()), other).causes == ()


@pytest.mark.parametrize(
    "change",
    [
        {"weights": (1.0, 2.5, 3.5)},
        {"weights": (1.0, 2.5, 3.0)},
        {"weights": (1.0, 2.0, 3.5), "losses": (0.9, 0.8, 0.6)},
        {"weights": (1.0, 2.0, 3.5), "rate": "2"},
        {"weights": (1.0, 2.0, 3.5), "probe": 1.5},
        {"weights": (1.0, 2.0, 3.5), "host": {"blas-kernels": ["Haswell"]}},
        {"probe": 1.5},
        {"once": 4.5},
        {},
    ],
    ids=str,
)
def test_it_is_not_said_where_anything_else_differs(change):
    assert not any(SENTENCE in cause for cause in causes(**change))

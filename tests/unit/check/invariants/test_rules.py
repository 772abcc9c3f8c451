"""Numerical invariants: each rule, what passes it, what does not, and what it says."""

from __future__ import annotations

import io
import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.check.invariants.hold import in_check, in_run, with_outcomes
from freezer.check.invariants.observed import Observed, Series, observed
from freezer.inside.freezer_inside.record import Recorder
from freezer.model.record.protocol import parse_lines
from freezer.model.record.record import Training
from freezer.model.record.verdict import TrainingVerdict, Verdict, Word
from freezer.model.spec.expect import Expectation
from tests.support.project.records import lines, record

NAN, INF = math.nan, math.inf
floats = st.floats(allow_nan=True, allow_infinity=True)
finite = st.floats(allow_nan=False, allow_infinity=False)


def series(*values: float) -> Series:
    return Series(range(1, len(values) + 1), values)


def result(rule: dict[str, Any], reported: dict[str, Series], name: str = "it") -> tuple[str, str]:
    [outcome] = in_run({name: Expectation.model_validate(rule)}, Observed(reported, {}))
    return outcome.state, outcome.found


@pytest.mark.parametrize(
    ("rule", "values", "state", "found"),
    [
        ({"finite": True}, [1.0, 2.0], "passed", "2 such values"),
        ({"finite": True}, [1.0, NAN, 2.0], "failed", "nan at step 2"),
        ({"finite": True}, [-INF], "failed", "-inf at step 1"),
        ({"range": [0, 1]}, [0.0, 1.0, 0.5], "passed", "3 such values"),
        ({"range": [0, 1]}, [0.5, 1.5, 0.5], "failed", "1.5 at step 2"),
        ({"range": [0, 1]}, [NAN], "failed", "nan at step 1"),
        ({"range": [0, "any"]}, [1e300], "passed", "1 such value"),
        ({"range": ["any", "any"]}, [NAN], "failed", "nan at step 1"),
        ({"floor": 0.9}, [0.1, 0.9], "passed", "0.9 at step 2"),
        ({"floor": 0.9}, [0.95, 0.89], "failed", "0.89 at step 2"),
        ({"floor": 0.9}, [NAN], "failed", "nan at step 1"),
        ({"ceiling": 0.5}, [9.0, 0.5], "passed", "0.5 at step 2"),
        ({"ceiling": 0.5}, [0.1, 0.6], "failed", "0.6 at step 2"),
        ({"monotone": "falling"}, [3.0, 2.0, 2.0], "passed", "3 such values"),
        ({"monotone": "falling"}, [3.0, 2.0, 2.5], "failed", "2.5 after 2.0 at step 3"),
        ({"monotone": "rising"}, [1.0, 2.0, 1.0], "failed", "1.0 after 2.0 at step 3"),
        ({"monotone": "falling"}, [3.0, NAN, 1.0], "failed", "nan after 3.0 at step 2"),
        ({"monotone": {"tolerance": 0.25}}, [2.0, 2.5], "passed", "2 such values"),
        ({"monotone": {"tolerance": 0.25}}, [2.0, 2.5625], "failed", "2.5625 after 2.0 at step 2"),
        ({"monotone": {"tolerance": 0.25}}, [-2.0, -1.5], "passed", "2 such values"),
        ({"monotone": {"window": 2}}, [4.0, 0.0, 1.0, 2.0, 99.0], "passed", "5 such values"),
        ({"monotone": {"window": 2}}, [4.0, 0.0, 3.0, 2.0], "failed", "2.5 after 2.0 at step 3"),
        ({"monotone": {"window": 3}}, [1.0] * 5, "failed", "5 values, and two windows need 6"),
        ({"monotone": {"window": 2}}, [1e308, 1e308, 1.0, 1.0], "failed", "1.0 after nan at step 3"),
    ],
)  # fmt: skip
def test_rules_of_a_series(
    rule: dict[str, Any], values: list[float], state: str, found: str
) -> None:
    assert result(rule, {"it": series(*values)}) == (state, found)


@pytest.mark.parametrize(
    "rule",
    [{"finite": True}, {"range": [0, 1]}, {"floor": 0}, {"ceiling": 0}, {"monotone": "falling"},
     {"shape": [3]}, {"classes": {"min-share": 0}}, {"classes": {"like": "other"}}],
)  # fmt: skip
def test_what_is_not_reported_fails_unless_it_is_optional(rule: dict[str, Any]) -> None:
    state, found = result(rule, {"another": series(1.0)})
    assert state == "failed"
    assert "`in: check` or `optional: true`" in found
    assert result({**rule, "optional": True}, {}) == ("skipped", "nothing reported")
    assert (
        in_run({"it": Expectation.model_validate({**rule, "in": "check"})}, Observed({}, {})) == ()
    )


def counts(**classes: float) -> dict[str, Series]:
    return {f"train.classes.{name}": series(9.0, count) for name, count in classes.items()}


OTHER = {"test.classes.cat": series(20.0), "test.classes.dog": series(60.0)}


@pytest.mark.parametrize(
    ("classes", "reported", "state", "found"),
    [
        ({"min-share": 0.25}, counts(cat=1, dog=3), "passed", "0.25 to 0.75 of 2 classes"),
        ({"min-share": 0.3}, counts(cat=1, dog=3), "failed", "0.25 of class cat"),
        ({"max-share": 0.7}, counts(cat=1, dog=3), "failed", "0.75 of class dog"),
        ({"shares": {"cat": 0.25, "dog": 0.75}}, counts(cat=1, dog=3), "passed", "2 classes with such shares"),
        ({"shares": {"cat": 0.5, "dog": 0.5}, "tolerance": 0.25}, counts(cat=1, dog=3), "passed", "2 classes with such shares"),
        ({"shares": {"cat": 1}}, counts(cat=1, dog=3), "failed", "0.25 of class cat, not 1.0"),
        ({"shares": {"cat": 0.25, "dog": 0.75}}, counts(cat=1, dog=2, emu=1), "failed", "0.5 of class dog, not 0.75"),
        ({"like": "test"}, {**counts(cat=1, dog=3), **OTHER}, "passed", "2 classes with such shares"),
        ({"like": "test"}, {**counts(cat=2, dog=2), **OTHER}, "failed", "0.5 of class cat, not 0.25"),
        ({"min-share": 0}, counts(cat=0, dog=0), "failed", "nan of class cat"),
        ({"min-share": 0}, counts(cat=NAN, dog=1), "failed", "nan of class cat"),
        ({"min-share": 0}, counts(cat=INF, dog=1), "failed", "nan of class cat"),
        ({"min-share": 0}, counts(cat=-1, dog=2), "failed", "-1.0 of class cat"),
    ],
)  # fmt: skip
def test_the_balance_of_classes(
    classes: dict[str, Any], reported: dict[str, Series], state: str, found: str
) -> None:
    assert result({"classes": classes}, reported, "train") == (state, found)


def doubles(*values: float) -> Any:
    class Doubles:
        class dtype:  # noqa: N801 - as NumPy has it
            byteorder, kind, itemsize = "<", "f", 8

        shape = (len(values),)

        def tobytes(self, order: str = "C") -> bytes:
            return struct.pack(f"<{len(values)}d", *values)

    return Doubles()


def trained(*tensors: Any, sampled: bool = True, **exact: float) -> Training:
    stream = io.StringIO()
    recorder = Recorder("own", stream)
    for step, one in enumerate(tensors):
        recorder.tensor("w", one, step, sampled=sampled)
    for name, value in exact.items():
        recorder.metric(f"w.{name.replace('_', '-')}", value)
    recorder.end()
    _, [found] = parse_lines([line for line in stream.getvalue().encode().splitlines() if line])
    return found


@pytest.mark.parametrize(
    ("rule", "training", "state", "found"),
    [
        ({"shape": [3]}, trained(doubles(1, 2, 3)), "passed", "[3]"),
        ({"shape": ["any"]}, trained(doubles(1, 2, 3)), "passed", "[3]"),
        ({"shape": []}, trained(doubles(1, 2, 3)), "failed", "[3]"),
        ({"shape": [3, "any"]}, trained(doubles(1, 2, 3)), "failed", "[3]"),
        ({"shape": [3]}, trained(doubles(1, 2, 3), doubles(1, 2)), "failed", "[2]"),
        ({"finite": True}, trained(doubles(1, 2)), "passed", "finite elements in all 2 elements"),
        ({"finite": True}, trained(doubles(1, NAN)), "failed", "1 NaN or infinite of all 2 elements"),
        ({"finite": True}, trained(doubles(*[1.0] * 1000)), "passed", "finite elements in a sample of 125 of 1000 elements"),
        ({"finite": True}, trained(doubles(1), sampled=False), "failed", "a tensor that is reported by its digest alone"),
        ({"finite": True}, trained(doubles(1), least=1, greatest=1, not_finite=0), "passed", "finite elements"),
        ({"finite": True}, trained(doubles(1), least=1, greatest=1, not_finite=2), "failed", "not finite: 2.0 at step 0"),
        ({"range": [0, 2]}, trained(doubles(1, 2)), "passed", "1.0 to 2.0 in all 2 elements"),
        ({"range": [0, 2]}, trained(doubles(1, 3)), "failed", "1.0 to 3.0 in all 2 elements"),
        ({"range": [0, 2]}, trained(doubles(1, INF)), "failed", "1 NaN or infinite of all 2 elements"),
        ({"range": [0, 2]}, trained(doubles(1), least=0, greatest=3, not_finite=0), "failed", "3.0 at step 0"),
        ({"range": [0, 2]}, trained(doubles(1), least=0, greatest=2, not_finite=0), "passed", "every element"),
        ({"range": [0, 2]}, trained(doubles(1), sampled=False), "failed", "a tensor that is reported by its digest alone"),
    ],
)  # fmt: skip
def test_rules_of_a_tensor(
    rule: dict[str, Any], training: Training, state: str, found: str
) -> None:
    [outcome] = in_run({"w": Expectation.model_validate(rule)}, observed(training))
    assert (outcome.state, outcome.found) == (state, found)


@given(st.lists(floats, min_size=2, max_size=30), st.integers(1, 4), st.floats(0, 1))
def test_a_series_that_is_monotone_both_ways_without_slack_is_constant(
    values: list[float], window: int, tolerance: float
) -> None:
    rules = {
        way: {"monotone": {"direction": way, "window": window, "tolerance": 0}}
        for way in ("falling", "rising")
    }
    states = [result(rule, {"it": series(*values)})[0] for rule in rules.values()]
    if states == ["passed", "passed"]:
        assert not any(map(math.isnan, values[: len(values) // window * window]))
        if window == 1:
            assert len(set(values)) == 1
    loose = {"monotone": {"window": window, "tolerance": tolerance}}
    if states[0] == "passed":
        assert result(loose, {"it": series(*values)})[0] == "passed", "slack only allows more"


@given(st.lists(finite, min_size=1, max_size=20), finite, finite)
def test_a_range_is_a_floor_and_a_ceiling_at_every_step(
    values: list[float], one: float, other: float
) -> None:
    low, high = sorted((one, other))
    state, _ = result({"range": [low, high]}, {"it": series(*values)})
    assert (state == "passed") == all(low <= value <= high for value in values)


def test_a_check_is_about_every_training_that_reports_it() -> None:
    found = record([*lines("numpy"), *lines("own", loss=0.6)])
    expectations = {
        "loss": Expectation.model_validate({"ceiling": 0.55}),
        "accuracy": Expectation.model_validate({"floor": 0.9}),
        "speed": Expectation.model_validate({"floor": 1, "in": "run"}),
    }
    outcomes = in_check(expectations, found)
    assert [(one.name, one.training, one.state) for one in outcomes] == [
        ("loss", "numpy", "passed"),
        ("loss", "own", "failed"),
        ("accuracy", "own", "failed"),
    ]
    good = [
        TrainingVerdict(training=name, word=Word.IDENTICAL, observations=7, steps=2)
        for name in ("numpy", "own")
    ]
    verdict = with_outcomes(Verdict(word=Word.IDENTICAL, trainings=tuple(good)), outcomes)
    assert [one.word for one in verdict.trainings] == [Word.IDENTICAL, Word.FAILED]
    assert verdict.word is Word.FAILED
    assert "loss: expected at most 0.55, found 0.6 at step 2" in str(verdict.trainings[1].reason)
    assert with_outcomes(verdict, outcomes[:1]) is verdict, "what passed changes nothing"


def test_what_drifted_stays_drifted() -> None:
    drifted = TrainingVerdict(training="own", word=Word.DRIFTED, observations=7, steps=2)
    outcomes = in_check({"loss": Expectation.model_validate({"ceiling": 0})}, record(lines("own")))
    verdict = with_outcomes(Verdict(word=Word.DRIFTED, trainings=(drifted,)), outcomes)
    assert verdict.trainings == (drifted,)

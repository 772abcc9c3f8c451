"""From a record to its verdict: what is compared, when it runs again, and when a cause is sought."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import pytest

from freezer.check.assess import assess, assess_change, verdict_by
from freezer.check.reference import References
from freezer.check.smoke import Varied
from freezer.errors import CheckError
from freezer.model.record.record import Record
from freezer.model.record.verdict import Basis, Word
from tests.support.project.records import lines, record

SAME, OTHER, THIRD = record(), record(lines(loss=0.25)), record(lines(loss=0.125))
FAILED = record(lines(end=False))
NAN = record([*lines(end=False, loss=math.nan)[:4], *lines(loss=math.nan)[5:]])
"""One loss, of step 2, and a tensor."""
EARLIER = {"lock_id": "9" * 64}


@dataclass
class Runner:
    """Gives the records that a test lists, one after another; keeps what it was asked to vary."""

    records: list[Record] = field(default_factory=list)
    varied: list[Varied | None] = field(default_factory=list)

    def run(self, title: str, varied: Varied | None = None) -> Record:
        assert title
        self.varied.append(varied)
        if not self.records:
            raise CheckError("it ran once more than it should")
        return self.records.pop(0)


def judge(first: Record, references: References, *later: Record) -> tuple[Any, Runner]:
    runner = Runner(list(later))
    found = assess(first, references, runner)  # type: ignore[arg-type]
    assert runner.records == [], "it ran less often than it should"
    return found, runner


def test_identical_to_the_reference_runs_once() -> None:
    found, runner = judge(SAME, References(own=SAME))
    assert (found.verdict.word, found.basis) == (Word.IDENTICAL, Basis.REFERENCE)
    assert (found.record, found.expected, found.repeats) == (SAME, SAME, None)
    assert runner.varied == []


@pytest.mark.parametrize(("second", "repeats"), [(OTHER, True), (THIRD, False), (FAILED, False)])
def test_a_drift_runs_again_to_tell_chance_from_change(second: Record, repeats: bool) -> None:
    found, _ = judge(OTHER, References(own=SAME), second)
    assert (found.verdict.word, found.repeats) == (Word.DRIFTED, repeats)
    assert found.record is OTHER
    assert found.experiments == ()  # nothing differs between the hosts that could be restored


def test_a_drift_that_repeats_has_its_cause_looked_for_until_it_is_found() -> None:
    one_thread = {"settings": {"OMP_NUM_THREADS": "1", "MKL_CBWR": "AVX2"}}
    first = record(lines(loss=0.25), **one_thread)
    found, runner = judge(first, References(own=SAME), first, first, SAME)
    assert found.repeats is True
    assert [one.is_cause for one in found.experiments] == [False, True]
    assert [varied is not None for varied in runner.varied] == [False, True, True]
    assert found.experiments[1].verdict.word is Word.IDENTICAL


def test_a_drift_that_does_not_repeat_has_no_cause_to_look_for() -> None:
    first = record(lines(loss=0.25), settings={"OMP_NUM_THREADS": "1"})
    found, runner = judge(first, References(own=SAME), THIRD)
    assert (found.repeats, found.experiments, runner.varied) == (False, (), [None])


def test_a_failed_training_is_not_run_again() -> None:
    found, runner = judge(FAILED, References(own=SAME))
    assert (found.verdict.word, found.repeats, runner.varied) == (Word.FAILED, None, [])
    found, runner = judge(FAILED, References())
    assert (found.verdict.word, found.basis, runner.varied) == (Word.FAILED, Basis.TWO_RUNS, [])


@pytest.mark.parametrize(("second", "word"), [(SAME, Word.IDENTICAL), (OTHER, Word.DRIFTED)])
def test_without_a_reference_two_runs_are_compared(second: Record, word: Word) -> None:
    found, _ = judge(SAME, References(), second)
    assert (found.verdict.word, found.basis) == (word, Basis.TWO_RUNS)
    assert (found.expected, found.record) == (SAME, second)


def test_results_of_an_earlier_lock_decide_nothing() -> None:
    earlier = OTHER.model_copy(update=EARLIER)
    found, _ = judge(SAME, References(earlier=earlier), SAME)
    assert (found.verdict.word, found.basis) == (Word.IDENTICAL, Basis.TWO_RUNS)
    [(title, verdict)] = found.others
    assert (title, verdict.word) == ("lock 999999999999", Word.DRIFTED)


def test_references_of_other_classes_are_for_information() -> None:
    others = (("numerics class armv8", OTHER),)
    found, _ = judge(SAME, References(own=SAME, others=others))
    assert [(title, one.word) for title, one in found.others] == [
        ("numerics class armv8", Word.DRIFTED)
    ]
    assert found.verdict.word is Word.IDENTICAL


def test_losses_that_are_all_nan_are_no_pass_by_any_way() -> None:
    assert verdict_by(NAN, NAN).word is Word.FAILED
    by_runs, _ = judge(NAN, References(), NAN)
    by_reference, _ = judge(NAN, References(own=NAN))
    by_change = assess_change(NAN, NAN.model_copy(update=EARLIER), Runner())  # type: ignore[arg-type]
    for found in (by_runs, by_reference, by_change):
        assert found.verdict.word is Word.FAILED
        assert "NaN or infinite" in (found.verdict.trainings[0].reason or "")


def test_a_drift_to_nan_repeats_when_the_second_run_gives_nan_as_well() -> None:
    found, _ = judge(NAN, References(own=SAME), NAN)
    assert (found.verdict.word, found.repeats) == (Word.DRIFTED, True)


def test_a_change_of_the_lock_has_no_tolerance_and_lists_inputs() -> None:
    kernels = {"blas-kernels": ["Haswell"]}
    first = record(lines(loss=0.5000001, data=b"other"), **kernels)
    earlier = SAME.model_copy(update=EARLIER)
    runner = Runner([first, SAME])
    found = assess_change(first, earlier, runner)  # type: ignore[arg-type]
    assert (found.verdict.word, found.repeats) == (Word.DRIFTED, True)
    assert any("the data 'features' differ" in cause for cause in found.verdict.causes)
    assert [one.is_cause for one in found.experiments] == [True]

"""Two locks are compared by their numbers alone, and to the bit."""

from __future__ import annotations

import math

from freezer.check.compare.compare import compare
from freezer.check.compare.locks import compare_locks
from freezer.model.record.record import Record
from freezer.model.record.verdict import Word
from tests.support.project.records import lines, record


def told(version: str, **changes: float) -> Record:
    text = [line.replace(b"2.4.6", version.encode()) for line in lines(**changes)]  # type: ignore[arg-type]
    return record(text)


def test_another_version_is_no_other_number() -> None:
    assert compare(told("2.4.6"), told("2.4.7")).word is Word.DRIFTED, "of one lock it would be"
    found = compare_locks(told("2.4.6"), told("2.4.7"))
    assert (found.word, found.causes) == (Word.IDENTICAL, ())


def test_a_number_that_moved_is_named_and_the_version_is_a_cause() -> None:
    found = compare_locks(told("2.4.6"), told("2.4.7", loss=math.nextafter(0.5, 1)))
    assert found.word is Word.DRIFTED
    assert found.trainings[0].first is not None
    assert found.trainings[0].first.what == "loss at step 2"
    assert "numpy: version numpy is 2.4.7, was 2.4.6" in found.causes


def test_what_would_explain_a_small_difference_is_what_is_looked_at() -> None:
    moved = lines(loss=math.nextafter(0.5, 1))
    kernels = {"flags": ["avx2"], "cpu": "Another CPU"}
    assert compare(record(), record(moved, **kernels)).word is Word.EQUIVALENT
    found = compare_locks(record(), record(moved, **kernels))
    assert found.word is Word.DRIFTED
    assert any("avx512f" in cause for cause in found.causes)


def test_other_trainings_cannot_be_compared() -> None:
    other = record().model_copy(update={"inside": "4" * 64})
    assert compare_locks(record(), other).word is Word.NOT_COMPARABLE
    failed = record(lines(end=False))
    assert compare_locks(record(), failed).word is Word.FAILED

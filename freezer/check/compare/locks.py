"""Compares the results of two locks: whether the changes between them affected any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.check.compare.compare import compare
from freezer.check.compare.differences import differences_of_inputs
from freezer.check.compare.numbers import numbers_only
from freezer.model.record.verdict import Verdict, Word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freezer.model.record.record import Record


def compare_locks(expected: Record, found: Record) -> Verdict:
    """Return the verdict on one lock's record, compared with another lock's. Pure.

    Changed versions are not results: the difference of the locks lists them. There is no tolerance,
    as the change in question is what would explain a small difference. So the verdict is
    ``identical`` or ``drifted``, unless a training failed or is not in both.
    """
    verdict = compare(_numbers(expected), _numbers(found), tolerant=False)
    if verdict.word is Word.IDENTICAL:
        return verdict
    causes = (*_inputs(expected, found), *verdict.causes)
    return verdict.model_copy(update={"causes": tuple(dict.fromkeys(causes))})


def _numbers(record: Record) -> Record:
    return numbers_only(record).model_copy(update={"inventory": record.inventory})


def _inputs(expected: Record, found: Record) -> Iterator[str]:
    before = {training.name: training for training in expected.trainings}
    for training in found.trainings:
        if training.name in before:
            yield from differences_of_inputs(before[training.name], training)

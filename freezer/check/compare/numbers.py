"""Compares only the results of two records: no versions, settings or inventory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.check.compare.compare import compare
from freezer.model.record.record import ReadBack, Record

if TYPE_CHECKING:
    from freezer.model.record.verdict import Verdict


def compare_numbers(expected: Record, found: Record) -> Verdict:
    """Return the verdict on a record's results, for runs with a varied setting.

    The setting itself is recorded with its new value, which is no result. Pure.
    """
    return compare(numbers_only(expected), numbers_only(found))


def numbers_only(record: Record) -> Record:
    """Return a record without versions, settings and inventory."""
    trainings = tuple(
        one.model_copy(
            update={
                "observations": tuple(o for o in one.observations if not isinstance(o, ReadBack))
            }
        )
        for one in record.trainings
    )
    return record.model_copy(update={"trainings": trainings, "inventory": None})

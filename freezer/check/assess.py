"""Judges a run's record, the same way for every check.

A record is compared with the available references. When its results changed, the trainings run a
second time, which distinguishes chance from change, and experiments search for the cause. Without
a reference of this lock, two runs are compared with each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.check.cause.search import find_cause
from freezer.check.compare.compare import compare
from freezer.check.compare.finite import require_finite
from freezer.check.compare.locks import compare_locks
from freezer.model.lockfile import short_id
from freezer.model.record.verdict import CHANGED, Basis, Verdict, Word

if TYPE_CHECKING:
    from freezer.check.cause.experiments import ExperimentResult
    from freezer.check.reference import References
    from freezer.check.smoke import SmokeRunner
    from freezer.model.record.record import Record

Comparisons = tuple[tuple[str, Verdict], ...]
"""Further references by title, with a record's verdict against each; for information only."""


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """A record, what it was compared with, and the verdict."""

    record: Record
    """The decisive record: the later one of two runs."""
    expected: Record
    """The record compared with: the reference, or the first of two runs."""
    verdict: Verdict
    basis: Basis
    repeats: bool | None = None
    """For results that differ from the reference: whether a second run had the same ones."""
    others: Comparisons = ()
    """Other available references: of other numerics classes, or of the previous lock."""
    experiments: tuple[ExperimentResult, ...] = ()
    """For a change that repeats: the experiments that searched for its cause."""


def assess(first: Record, references: References, runner: SmokeRunner) -> Assessment:
    """Judge a record by the references stored next to its lock.

    Raises ``CheckError`` when a further run cannot be started.
    """
    others = tuple((title, compare(other, first)) for title, other in references.others)
    if references.own is not None:
        verdict = verdict_by(references.own, first)
        return _by_reference(first, references.own, verdict, runner, others)
    experiments: tuple[ExperimentResult, ...] = ()
    if references.earlier is not None:
        # An earlier lock's results decide nothing, as its packages differ; they are informative.
        earlier = compare_locks(references.earlier, first)
        others = ((f"lock {short_id(references.earlier.lock_id)}", earlier), *others)
        if earlier.word in CHANGED:
            experiments = find_cause(references.earlier, first, runner)
    second, verdict = _run_again(first, runner)
    return Assessment(
        record=second,
        expected=first,
        verdict=require_finite(verdict, second),
        basis=Basis.TWO_RUNS,
        others=others,
        experiments=experiments,
    )


def verdict_by(reference: Record, found: Record) -> Verdict:
    """Return the verdict on a record by a reference of its lock. Pure."""
    return require_finite(compare(reference, found), found)


def assess_change(first: Record, earlier: Record, runner: SmokeRunner) -> Assessment:
    """Judge a record by the reference of another lock; see `compare_locks`."""
    verdict = require_finite(compare_locks(earlier, first), first)
    return _by_reference(first, earlier, verdict, runner)


def _by_reference(
    first: Record,
    reference: Record,
    verdict: Verdict,
    runner: SmokeRunner,
    others: Comparisons = (),
) -> Assessment:
    repeats: bool | None = None
    experiments: tuple[ExperimentResult, ...] = ()
    if verdict.word in CHANGED:
        _, second_run = _run_again(first, runner)
        repeats = second_run.word is Word.IDENTICAL
        experiments = find_cause(reference, first, runner) if repeats else ()
    return Assessment(
        record=first,
        expected=reference,
        verdict=verdict,
        basis=Basis.REFERENCE,
        repeats=repeats,
        others=others,
        experiments=experiments,
    )


def _run_again(first: Record, runner: SmokeRunner) -> tuple[Record, Verdict]:
    """Return the record of a second run, and its comparison with the first.

    A failed run is not repeated: the record is the first one then.
    """
    failed = any(training.failure is not None for training in first.trainings)
    second = first if failed else runner.run("Training again, to see whether it repeats")
    return second, compare(first, second)

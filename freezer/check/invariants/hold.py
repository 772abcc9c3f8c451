"""Expectations of a spec, compared with what a run or a check reported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from freezer.check.compare.compare import worst
from freezer.check.invariants.observed import Observed, observed
from freezer.check.invariants.rules import rulings
from freezer.model.record.outcome import Outcome
from freezer.model.record.verdict import GOOD, Word

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from freezer.check.invariants.rules import Ruling
    from freezer.model.record.record import Record
    from freezer.model.record.verdict import Verdict
    from freezer.model.spec.expect import Expectation


def in_run(expectations: Mapping[str, Expectation], seen: Observed) -> tuple[Outcome, ...]:
    """Return what the expectations come to in a run of the user's training."""
    return tuple(
        outcome
        for name, one in expectations.items()
        if one.in_ != "check"
        for outcome in _outcomes(name, one, seen, "", "run")
    )


def in_check(expectations: Mapping[str, Expectation], record: Record) -> tuple[Outcome, ...]:
    """Return what the expectations come to in a record of smoke trainings.

    Each is about every training that reports it. What none reports is missing from the last one,
    the user's own where there is one.
    """
    seen = {one.name: observed(one) for one in record.trainings}
    found: list[Outcome] = []
    for name, one in expectations.items():
        if one.in_ == "run" or not seen:
            continue
        reporting = [training for training in seen if seen[training].reports(name)]
        for training in reporting or [list(seen)[-1]]:
            found += _outcomes(name, one, seen[training], training, "check")
    return tuple(found)


def with_outcomes(verdict: Verdict, outcomes: Sequence[Outcome]) -> Verdict:
    """Return a verdict in which good trainings that do not meet an expectation have failed."""
    failed: dict[str, list[str]] = {}
    for one in outcomes:
        if one.state == "failed":
            failed.setdefault(one.training, []).append(str(one))
    if not failed:
        return verdict
    trainings = tuple(
        one.model_copy(
            update={
                "word": Word.FAILED,
                "reason": "\n".join(
                    ["its results are not as the spec expects:", *failed[one.training]]
                ),
            }
        )
        if one.training in failed and one.word in GOOD
        else one
        for one in verdict.trainings
    )
    return verdict.model_copy(update={"trainings": trainings, "word": worst(trainings)})


def _outcomes(
    name: str, expectation: Expectation, seen: Observed, training: str, scope: _Scope
) -> Iterator[Outcome]:
    for one in rulings(name, expectation, seen):
        yield _outcome(name, expectation, one, training, scope)


_Scope = Literal["run", "check"]


def _outcome(
    name: str, expectation: Expectation, one: Ruling, training: str, scope: _Scope
) -> Outcome:
    if one.found is not None:
        state: Literal["passed", "failed"] = "passed" if one.passed else "failed"
        return Outcome(name, one.rule, state, one.expected, one.found, training)
    if expectation.optional:
        return Outcome(name, one.rule, "skipped", one.expected, "nothing reported", training)
    other = "check" if scope == "run" else "run"
    found = f"nothing reported (`in: {other}` or `optional: true` if that is as it should be)"
    return Outcome(name, one.rule, "failed", one.expected, found, training)

"""Output of ``freeze check``: each training with its first difference, then the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape

from freezer.check.cause.not_repeatable import why_not_repeatable
from freezer.check.cause.table import factor_table
from freezer.check.compare.metrics import metrics
from freezer.model.canonical import plain
from freezer.model.lockfile import short_id
from freezer.model.record.verdict import CHANGED, Difference, TrainingVerdict, Verdict, Word
from freezer.output.outcomes import show_counts
from freezer.output.styles import STYLES
from freezer.output.text import as_json, plural, printable, show_rows, ulps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from freezer.flows.check.result import CheckResult


def show(result: CheckResult, console: Console) -> None:
    """Print the verdict, each training, the first difference, and possible causes."""
    show_trainings(result.verdict, console)
    for line in (*result.measured, *likely(result)):
        console.print(f"  {escape(printable(line))}", highlight=False, soft_wrap=True)
    for name, other in result.assessment.others:
        console.print(
            f"  for information, compared with the results of {name}: {_other(other)}",
            highlight=False,
            soft_wrap=True,
        )
    show_counts(result.outcomes, console)
    for line in experiments(result):
        console.print(f"  {escape(printable(line))}", highlight=False, soft_wrap=True)
    show_word(result.locked.lock.name, result.verdict, against(result), console)


def show_trainings(verdict: Verdict, console: Console) -> None:
    """Print each training's verdict with its reason, and the differences of the runs."""
    show_rows([_row(one) for one in verdict.trainings], console)
    for one in verdict.trainings:
        _explain(one, console)
    for cause in verdict.causes:
        console.print(f"  differs: {escape(printable(cause))}", highlight=False, soft_wrap=True)


def show_word(name: str, verdict: Verdict, against: str, console: Console) -> None:
    """Print the verdict in one line."""
    style = STYLES[verdict.word]
    text = f"{name}: [{style}]{verdict.word}[/{style}], {escape(against)}"
    console.print(text, highlight=False, soft_wrap=True)


def document(result: CheckResult) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    found = result.assessment
    return {
        "environment": result.locked.lock.name,
        "lock-id": result.locked.id,
        "image": result.image,
        "verdict": result.verdict.word.value,
        "good": result.verdict.good,
        "recorded": result.recorded,
        "repeats": found.repeats,
        "reference": result.reference,
        "class": result.record.host.class_,
        "date": result.date,
        "host": plain(result.record.host),
        "trainings": [plain(one) for one in result.verdict.trainings],
        "timings": {
            one.name: {part.name: part.seconds for part in one.timings}
            for one in result.record.trainings
        },
        "causes": list(result.verdict.causes),
        "measured": list(result.measured),
        "metrics": [plain(one) for one in metrics(found.expected, found.record)],
        "factors": [
            {**plain(row), "same": row.same}
            for row in factor_table(found.expected, found.record, found.experiments)
        ],
        "experiments": [
            {
                "title": one.experiment.title,
                "environment": dict(one.experiment.environment),
                "verdict": one.verdict.word.value,
                "cause": one.is_cause,
            }
            for one in found.experiments
        ],
        "expectations": [as_json(one) for one in result.outcomes],
        "others": {name: verdict.word.value for name, verdict in found.others},
    }


def _row(one: TrainingVerdict) -> tuple[str, str, str]:
    style = STYLES[one.word]
    counted = f"{plural(one.observations, 'observation')}, {plural(one.steps, 'loss')}"
    counted = counted.replace("losss", "losses")
    return f"  {escape(one.training)}", f"[{style}]{one.word}[/{style}]", counted


def _explain(one: TrainingVerdict, console: Console) -> None:
    lines = []
    if one.reason is not None:
        first, *rest = one.reason.splitlines() or [""]
        lines = [f"{one.training}: {first}", *(f"  {line}" for line in rest)]
    if one.first is not None:
        lines += _where(one.first)
    for line in lines:
        console.print(f"  {escape(printable(line))}", highlight=False, soft_wrap=True)


def _where(first: Difference) -> list[str]:
    distance = ", ".join(far(first))
    return [
        (
            f"{first.training} differs first in {first.what}; {first.differing} of {first.of} "
            "observations differ"
        ),
        f"  expected: {first.expected}",
        f"  found:    {first.found}{f' ({distance})' if distance else ''}",
    ]


def far(first: Difference) -> Iterator[str]:
    """Yield the measured distances as text."""
    if first.place is not None:
        yield first.place
    if first.note is not None:
        yield first.note
    if first.ulps is not None:
        median = "" if first.median_ulps is None else f", median {ulps(first.median_ulps)}"
        yield f"at most {ulps(first.ulps)} ulp{median}"
    if first.relative is not None:
        yield f"relative error {first.relative:.1e}"
    if first.measured is not None:
        yield f"as measured in {first.measured}"


def likely(result: CheckResult) -> Iterator[str]:
    """Return conclusions from a second run and from the first difference."""
    verdict = result.verdict
    if verdict.word not in CHANGED:
        return
    if result.by_two_runs:
        for one in verdict.trainings:
            if one.first is not None:
                inputs = [cause for cause in verdict.causes if cause.startswith(f"{one.training}:")]
                yield f"{one.training}: {why_not_repeatable(one.first, inputs)}"
    elif result.assessment.repeats is False:
        yield "a second run on this host gave different results again: the training does not repeat"
    else:
        yield "a second run on this host gave the same results as the first: the change repeats"
        if not verdict.causes:
            yield "no cause was found: settings, host, versions, data and random numbers are equal"


def experiments(result: CheckResult) -> Iterator[str]:
    """Yield a sentence for each experiment on the cause of a drift."""
    tried = result.assessment.experiments
    for one in tried:
        came = "all results are restored: this is the cause" if one.is_cause else "still "
        word = "" if one.is_cause else str(one.verdict.word)
        yield f"experiment: with {one.experiment.title}, {came}{word}"
    if tried and not any(one.is_cause for one in tried):
        yield "no single setting restores the results; `freeze bisect` searches the packages"


def _other(verdict: Verdict) -> str:
    apart = [
        f"{one.training} {one.word}, {one.first.differing} of {one.first.of} observations differ, "
        f"first the {one.first.what}"
        for one in verdict.trainings
        if one.first is not None
    ]
    return "; ".join(apart) or str(verdict.word)


def against(result: CheckResult) -> str:
    """Return as text what the record was compared with, and what was stored."""
    lock_id = short_id(result.locked.id)
    if result.recorded:
        return f"two runs of lock {lock_id} here; recorded in {result.reference}"
    if result.verdict.good:
        return f"lock {lock_id} as recorded in {result.reference}"
    if result.by_two_runs and result.verdict.word is Word.DRIFTED:
        return f"two runs of lock {lock_id} differ from each other; nothing was recorded"
    if result.by_two_runs:
        return f"lock {lock_id}; nothing was recorded"
    return f"lock {lock_id}; reference {result.reference}"

"""``freeze check --report``: a verdict as a self-contained page, or as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from freezer.check.cause.table import factor_table
from freezer.check.compare.metrics import metrics
from freezer.model.lockfile import short_id
from freezer.model.record.verdict import Word
from freezer.output.check.chart import loss_chart
from freezer.output.check.check import against, experiments, far, likely
from freezer.output.pages import render_page
from freezer.output.text import printable

if TYPE_CHECKING:
    from freezer.check.compare.metrics import Metrics
    from freezer.flows.check.result import CheckResult

_MARKS = {
    Word.IDENTICAL: "good",
    Word.EQUIVALENT: "fair",
    Word.NOT_COMPARABLE: "fair",
    Word.DRIFTED: "bad",
    Word.FAILED: "bad",
}


def report(result: CheckResult, form: str) -> str:
    """Return the page of a check; ``form`` is ``html`` or ``md``."""
    return render_page(f"report/check.{form}.j2", **_values(result))


def _values(result: CheckResult) -> dict[str, Any]:
    lock, record, verdict = result.locked.lock, result.record, result.verdict
    assessed = result.assessment
    found = {one.training: one for one in metrics(assessed.expected, record)}
    table = factor_table(assessed.expected, record, assessed.experiments)
    runs = 1 + int(result.by_two_runs) + int(assessed.repeats is not None)
    return {
        "name": lock.name,
        "lock_id": result.locked.id,
        "short": short_id(result.locked.id),
        "image": result.image,
        "word": str(verdict.word),
        "mark": _MARKS[verdict.word],
        "sentence": against(result),
        "runs": runs,
        "trainings": [
            {
                "one": one,
                "mark": _MARKS[one.word],
                "metrics": found.get(one.training),
                "charts": _charts(found.get(one.training)),
                "singles": _singles(found.get(one.training)),
                "far": ", ".join(far(one.first)) if one.first else "",
            }
            for one in verdict.trainings
        ],
        "likely": [printable(text) for text in (*likely(result), *experiments(result))],
        "causes": [printable(text) for text in verdict.causes],
        "others": [(title, str(other.word)) for title, other in assessed.others],
        "differing": [row for row in table if not row.same],
        "same": [row for row in table if row.same],
        "inventory": record.inventory.numerics if record.inventory else (),
        "host": record.host,
    }


def _charts(one: Metrics | None) -> list[tuple[str, Markup]]:
    """Return the titles and charts of a training's losses; charts contain only numbers."""
    if one is None:
        return []
    drawn = [curve for curve in one.curves if len(curve.steps) > 1]
    return [(curve.name, Markup(loss_chart(curve))) for curve in drawn]  # noqa: S704


def _singles(one: Metrics | None) -> list[tuple[str, str, str]]:
    """Return the losses recorded once, for which there is no chart."""
    curves = [curve for curve in (one.curves if one else ()) if len(curve.steps) == 1]
    return [(c.name, _number(c.expected[0]), _number(c.found[0])) for c in curves]


def _number(value: float | None) -> str:
    return "not recorded" if value is None else repr(value)

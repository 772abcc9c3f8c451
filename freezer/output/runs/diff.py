"""Output of `freeze runs diff` and `freeze runs reproduce`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape

from freezer.model.record.run import encode
from freezer.output.runs.runs import text
from freezer.output.text import plural, printable, show_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from freezer.check.compare.ulps import Distance
    from freezer.flows.runs.diff import RunsDiff
    from freezer.flows.runs.explain.divergence import Divergence, Results
    from freezer.flows.runs.repeat.reproduce import Reproduced
    from freezer.model.record.run import Run, Value

_STYLES = {"certain": "bold red", "likely": "red", "possible": "yellow", "unlikely": "dim"}
_VERDICTS = {"identical": "green", "drifted": "red", "failed": "red", "not comparable": "yellow"}


def show_diff(found: RunsDiff, console: Console) -> None:
    """Print the causes, likeliest first, then the results."""
    console.print(f"{found.first.id} -> {found.second.id}", highlight=False)
    if not found.causes:
        console.print("nothing differs that is recorded", highlight=False)
    for one in found.causes:
        console.print(
            f"  [{_STYLES[one.level]}]{one.level}[/]  {_safe(one.name)}: {_safe(one.old)} -> "
            f"{_safe(one.new)}: {one.why}",
            highlight=False,
            soft_wrap=True,
        )
        for line in one.details:
            console.print(f"      {_safe(line)}", highlight=False, soft_wrap=True)
    _show_results(found.results, console)


def diff_document(found: RunsDiff) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    return {
        "first": found.first.id,
        "second": found.second.id,
        "causes": [
            {
                "area": one.area,
                "name": one.name,
                "old": one.old,
                "new": one.new,
                "level": one.level,
                "why": one.why,
                "details": list(one.details),
            }
            for one in found.causes
        ],
        "results": results_document(found.results),
    }


def show_several(
    runs: Sequence[Run], fields: Mapping[str, Sequence[Value | None]], console: Console
) -> None:
    """Print a table of the fields that vary among several runs."""
    if not fields:
        console.print("nothing differs that is recorded", highlight=False)
        return
    head = ("[dim]field", *(f"[dim]{run.id[:8]}" for run in runs))
    rows = [
        (_safe(name), *("" if one is None else escape(text(one)) for one in values))
        for name, values in fields.items()
    ]
    show_rows([head, *rows], console)


def several_document(
    runs: Sequence[Run], fields: Mapping[str, Sequence[Value | None]]
) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    return {
        "runs": [run.id for run in runs],
        "varying": {
            name: [None if one is None else encode(one) for one in values]
            for name, values in fields.items()
        },
    }


def show_reproduced(found: Reproduced, console: Console) -> None:
    """Print the verdict, and where the results part."""
    style = _VERDICTS[found.verdict]
    reason = f": {_safe(found.reason)}" if found.reason else ""
    console.print(
        f"run {found.original.id} reproduced as {found.again.run.id}: "
        f"[{style}]{found.verdict}[/]{reason}",
        highlight=False,
        soft_wrap=True,
    )
    _show_results(found.results, console)


def reproduced_document(found: Reproduced) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    return {
        "run": found.original.id,
        "again": found.again.run.id,
        "verdict": found.verdict,
        "reason": found.reason,
        "results": results_document(found.results),
    }


def results_document(found: Results) -> dict[str, Any]:
    """Return a comparison of results for ``--json``."""
    return {
        "identical": found.identical,
        "same": list(found.same),
        "differ": [
            {
                "name": one.name,
                "step": one.step,
                "first": encode(one.first),
                "second": encode(one.second),
                "ulps": one.distance.ulps,
                "relative": one.distance.relative,
                "last-ulps": one.last.ulps,
                "last-relative": one.last.relative,
            }
            for one in found.parted
        ],
        "missing": list(found.missing),
        "outputs-same": list(found.outputs_same),
        "outputs-differ": list(found.outputs_differ),
        "outputs-missing": list(found.outputs_missing),
    }


def _show_results(found: Results, console: Console) -> None:
    for one in found.parted:
        console.print(f"  {_parted(one)}", highlight=False, soft_wrap=True)
    for name in found.missing:
        console.print(f"  {_safe(name)}: not as many values in both", highlight=False)
    for path in found.outputs_differ:
        console.print(f"  output {_safe(path)}: other bytes", highlight=False, soft_wrap=True)
    for path in found.outputs_missing:
        console.print(f"  output {_safe(path)}: in one run only", highlight=False, soft_wrap=True)
    same = len(found.same) + len(found.outputs_same)
    if found.compared:
        console.print(
            f"  identical to the bit: {plural(len(found.same), 'metric')} and "
            f"{plural(len(found.outputs_same), 'output')} of {found.compared} compared"
            if same
            else f"  nothing of {found.compared} compared is identical",
            highlight=False,
        )
    else:
        console.print("  no metric and no output to compare", highlight=False)


def _parted(one: Divergence) -> str:
    place = "" if one.step is None else f" from step {one.step}"
    first, last = _distance(one.distance), _distance(one.last)
    end = "the same" if one.last.ulps == 0 and not one.last.note else last
    grown = f"; at the end {end}" if last != first else ""
    return f"{_safe(one.name)} differs{place}: {one.first:.9g} and {one.second:.9g}, {first}{grown}"


def _distance(found: Distance) -> str:
    if found.note:
        return found.note
    ulps = "" if found.ulps is None else plural(found.ulps, "ulp")
    relative = "" if found.relative is None else f"{found.relative:.1e} relative"
    return ", ".join(part for part in (ulps, relative) if part) or "not measurable"


def _safe(words: str) -> str:
    return escape(printable(words))

"""Output of ``freeze check --all``: a row for each earlier lock, then the number of good ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape

from freezer.model.canonical import plain
from freezer.model.lockfile import short_id
from freezer.output.styles import STYLES
from freezer.output.text import as_json, plural, printable, show_rows

if TYPE_CHECKING:
    from rich.console import Console

    from freezer.flows.compare.check_all import PastCheck, PastChecks
    from freezer.flows.compare.planned_checks import PlannedCheck, PlannedChecks

_PLANNED = {"here": "in the engine", "pulled": "to pull", "rebuilt": "to build"}
_HOW = {"here": "in the engine", "pulled": "pulled", "rebuilt": "built again", None: "none"}


def show(found: PastChecks, console: Console) -> None:
    """Print the table, newest first."""
    head = ("[dim]generation", "[dim]lock", "[dim]date", "[dim]image", "[dim]verdict")
    rows = [_row(one) for one in reversed(found.checks)]
    show_rows([(*head, "[dim]why not"), *rows], console)
    good = sum(one.why_not is None for one in found.checks)
    style = "bold green" if found.good else "bold red"
    console.print(
        f"{found.name}: [{style}]{good} of {len(found.checks)}[/{style}] locks still build and "
        "reproduce their results",
        highlight=False,
        soft_wrap=True,
    )


def document(found: PastChecks) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    return {
        "environment": found.name,
        "good": found.good,
        "locks": [_facts(one) for one in found.checks],
    }


def show_planned(found: PlannedChecks, console: Console) -> None:
    """Print the locks that would be checked, newest first."""
    head = ("[dim]generation", "[dim]lock", "[dim]date", "[dim]image")
    show_rows([head, *(_planned_row(one) for one in reversed(found.checks))], console)
    console.print(
        f"{found.name}: {plural(len(found.checks), 'lock')} would be checked; nothing was done",
        highlight=False,
        soft_wrap=True,
    )


def _planned_row(one: PlannedCheck) -> tuple[str, ...]:
    last = one.generations[-1]
    numbers = ", ".join(str(made.number) for made in one.generations)
    place = f"to pull from {escape(printable(one.place))}" if one.place else _PLANNED[one.source]
    return numbers, short_id(last.lock_id), last.date[:10], place


def planned_document(found: PlannedChecks) -> dict[str, Any]:
    """Return the locks that would be checked for ``--json``."""
    return {
        "environment": found.name,
        "dry-run": True,
        "locks": [
            {
                "generations": [made.number for made in one.generations],
                "lock-id": one.generations[-1].lock_id,
                "how": one.source,
                "place": one.place,
            }
            for one in found.checks
        ],
    }


def _facts(one: PastCheck) -> dict[str, Any]:
    result = one.result
    return {
        "generations": [made.number for made in one.generations],
        "lock-id": one.generations[-1].lock_id,
        "good": one.why_not is None,
        "why-not": one.why_not,
        "image": None if result is None else result.image,
        "how": one.how,
        "on-record": one.on_record,
        "verdict": None if result is None else result.verdict.word.value,
        "class": None if result is None else result.record.host.class_,
        "against-reference": result is not None and not result.by_two_runs,
        "trainings": [] if result is None else [plain(item) for item in result.verdict.trainings],
        "expectations": [] if result is None else [as_json(item) for item in result.outcomes],
        "seconds": round(one.seconds, 2),
    }


def _row(one: PastCheck) -> tuple[str, ...]:
    last = one.generations[-1]
    return (
        ", ".join(str(made.number) for made in one.generations),
        short_id(last.lock_id),
        last.date[:10],
        _HOW[one.how],
        _verdict(one),
        escape(printable(one.why_not or "")),
    )


def _verdict(one: PastCheck) -> str:
    if one.result is None:
        return "[bold red]not checked[/bold red]"
    word = one.result.verdict.word
    if one.result.by_two_runs and one.result.verdict.good and not one.result.recorded:
        return "[bold yellow]repeats[/bold yellow]"
    return f"[{STYLES[word]}]{word}[/{STYLES[word]}]"

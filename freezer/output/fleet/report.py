"""Output of a fleet as text and JSON: the matrix, then every host that is not good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rich.markup import escape

from freezer.fleet.matrix import row_document
from freezer.model.lockfile import short_id
from freezer.output.styles import STYLES
from freezer.output.text import plural, printable, show_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from freezer.fleet.matrix import Factor, Group, Row
    from freezer.fleet.state import State
    from freezer.flows.fleet.gather import Fleet

MOST_ROWS: Final = 40
"""Hosts that are listed on a terminal; the others are in the JSON and on the page."""


def show(fleet: Fleet, console: Console) -> None:
    """Print the matrix, the hosts that are not good with their reasons, and the sum."""
    for group in fleet.groups:
        _print(
            console,
            f"{group.environment}, class {escape(printable(group.class_))}: {_counts(group)}",
        )
        for factor in group.factors:
            _print(console, f"  separates them: {escape(printable(factor_text(factor)))}")
    bad = [row for row in fleet.rows if not row.state.good]
    show_rows([_row(row) for row in bad[:MOST_ROWS]], console)
    if len(bad) > MOST_ROWS:
        _print(console, f"  and {len(bad) - MOST_ROWS} more; see `freeze fleet report --html FILE`")
    good = len(fleet.rows) - len(bad)
    style = "bold green" if fleet.good else "bold yellow" if fleet.waiting else "bold red"
    _print(
        console,
        f"fleet {fleet.id}: [{style}]{good} of {plural(len(fleet.rows), 'verdict')} good[/{style}]",
    )


def show_states(fleet: Fleet, console: Console) -> None:
    """Print every host with its state."""
    show_rows([_row(row) for row in fleet.rows], console)
    counted = ", ".join(f"{count} {title}" for title, count in fleet.counts.items())
    _print(console, f"fleet {fleet.id}: {counted}")


def document(fleet: Fleet) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    request = fleet.request
    return {
        "fleet": fleet.id,
        "target": request.target,
        "created": request.created,
        "attempts": fleet.attempts,
        "good": fleet.good,
        "waiting": fleet.waiting,
        "states": [{"state": title, "count": count} for title, count in fleet.counts.items()],
        "environments": [
            {"name": one.name, "lock-id": one.lock_id, "image": one.image}
            for one in request.environments
        ],
        "groups": [
            {
                "environment": group.environment,
                "class": group.class_,
                "hosts": len(group.rows),
                "good": group.good,
                "results": group.results,
                "factors": [
                    {"name": one.name, "good": list(one.good), "others": list(one.others)}
                    for one in group.factors
                ],
            }
            for group in fleet.groups
        ],
        "hosts": [row_document(row) for row in fleet.rows],
    }


def show_list(fleets: list[Fleet], console: Console) -> None:
    """Print a row for each fleet, latest first."""
    head = tuple(f"[dim]{one}" for one in ("fleet", "target", "environments", "hosts", "states"))
    rows = [
        (
            f.id,
            escape(printable(f.request.target)),
            ", ".join(f"{one.name} {short_id(one.lock_id)}" for one in f.request.environments),
            str(len(f.request.hosts)),
            ", ".join(f"{count} {title}" for title, count in f.counts.items()),
        )
        for f in fleets
    ]
    show_rows([head, *rows], console)


def factor_text(factor: Factor) -> str:
    """Return a factor in a line."""
    return f"{factor.name}: {', '.join(factor.good)} | others: {', '.join(factor.others)}"


def style_of(state: State) -> str:
    """Return the style of a state on a terminal."""
    if state.word is not None:
        return STYLES[state.word]
    return "dim" if state.waiting else "bold yellow"


def _counts(group: Group) -> str:
    listed = ", ".join(f"{count} {title}" for title, count in group.counts.items())
    results = f"; {group.results} different results" if group.results > 1 else ""
    return f"{plural(len(group.rows), 'host')}: {listed}{results}"


def _row(row: Row) -> tuple[str, ...]:
    style = style_of(row.state)
    words = " ".join(_reasons(row))
    return (
        f"  {escape(row.host)}",
        row.environment,
        f"[{style}]{row.state.title}[/{style}]",
        escape(printable(words)),
    )


def _reasons(row: Row) -> Iterator[str]:
    if row.state.reason:
        yield row.state.reason
    if row.difference is not None:
        yield f"(expected {row.difference.expected}, found {row.difference.found})"
    if row.causes:
        yield f"likely cause: {row.causes[0]}"


def _print(console: Console, text: str) -> None:
    console.print(text, highlight=False, soft_wrap=True)

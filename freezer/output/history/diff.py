"""Output of ``freeze diff``: likely effects on results first; also as a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape

from freezer.model.canonical import plain
from freezer.output.pages import render_page
from freezer.output.text import printable, show_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from freezer.flows.compare.diff import DiffResult
    from freezer.history.diff import Change

_STYLES = {"certain": "bold red", "likely": "red", "possible": "yellow", "unlikely": "dim"}
_MARKS = {"added": "+", "removed": "-", "up": "^", "down": "v", "rebuilt": "~", "changed": " "}


def show(result: DiffResult, console: Console) -> None:
    """Print the suspects, then each section of changes."""
    console.print(
        f"{escape(result.old.title)} -> {escape(result.new.title)}", highlight=False, soft_wrap=True
    )
    if result.diff.same:
        console.print("nothing differs", highlight=False)
        return
    for one in result.suspects:
        style = _STYLES[one.level]
        console.print(
            f"  [{style}]{one.level}[/{style}]  {_safe(one.what)}: {_safe(one.why)}",
            highlight=False,
            soft_wrap=True,
        )
    for title, changes in _sections(result):
        if changes:
            console.print(f"[bold]{title}[/bold]", highlight=False)
            show_rows([_row(change) for change in changes], console)
    lines = [*result.diff.notes, *(f"inventory: {text}" for text in result.inventory)]
    lines += [f"recorded results, {text}" for text in result.references]
    for line in lines:
        console.print(_safe(line), highlight=False, soft_wrap=True)


def _sections(result: DiffResult) -> list[tuple[str, Sequence[Change]]]:
    found = result.diff
    return [
        ("Platform", found.platform),
        ("Numeric components", [_for_role(one) for one in found.components]),
        *(
            (f"{ecosystem} packages", [one for one in found.packages if one.ecosystem == ecosystem])
            for ecosystem in dict.fromkeys(one.ecosystem for one in found.packages)
        ),
        ("Settings", found.settings),
    ]


def _for_role(change: Change) -> Change:
    """Return a component with its role: one library may have several."""
    if change.ecosystem == change.name:
        return change
    return change.model_copy(update={"name": f"{change.ecosystem}: {change.name}"})


def _row(change: Change) -> tuple[str, ...]:
    before, after = _safe(change.before or "-"), _safe(change.after or "-")
    return (f"  {_MARKS[change.kind]} {_safe(change.name)}", before, f"-> {after}")


def _safe(text: str) -> str:
    return escape(printable(text))


def page(result: DiffResult, form: str) -> str:
    """Return the comparison as ``html`` (self-contained) or ``md``."""
    return render_page(
        f"report/diff.{form}.j2",
        old=result.old.title,
        new=result.new.title,
        same=result.diff.same,
        suspects=result.suspects,
        sections=[(title, changes) for title, changes in _sections(result) if changes],
        marks=_MARKS,
        notes=[
            *result.diff.notes,
            *(f"inventory: {text}" for text in result.inventory),
            *(f"recorded results, {text}" for text in result.references),
        ],
    )


def document(result: DiffResult) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    return {
        "old": {"title": result.old.title, "lock-id": result.old.locked.id},
        "new": {"title": result.new.title, "lock-id": result.new.locked.id},
        "same": result.diff.same,
        **plain(result.diff),
        "suspects": [plain(one) for one in result.suspects],
        "inventory": list(result.inventory),
        "references": list(result.references),
    }

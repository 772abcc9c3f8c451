"""Output of expectations: each that failed or was skipped, then how many of them passed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape

from freezer.output.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from freezer.model.record.outcome import Outcome

_COLOURS = {"failed": "red", "skipped": "yellow"}


def show_outcomes(outcomes: Sequence[Outcome], console: Console) -> None:
    """Print what the expectations of a spec came to; nothing where there are none."""
    for one in outcomes:
        if one.state in _COLOURS:
            colour = _COLOURS[one.state]
            text = escape(printable(str(one)))
            console.print(
                f"  [{colour}]{one.state}[/{colour}] {text}", highlight=False, soft_wrap=True
            )
    show_counts(outcomes, console)


def show_counts(outcomes: Sequence[Outcome], console: Console) -> None:
    """Print how many expectations passed, failed and were skipped."""
    if not outcomes:
        return
    states = [one.state for one in outcomes]
    counts = (f"{states.count(state)} {state}" for state in ("passed", "failed", "skipped"))
    shown = ", ".join(text for text in counts if not text.startswith("0 "))
    console.print(f"expectations: {shown}", highlight=False, soft_wrap=True)

"""Output of `freeze runs import`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freezer.output.text import plural, printable

if TYPE_CHECKING:
    from rich.console import Console

    from freezer.flows.runs.transfer.take_over import TakenOver


def show_taken_over(found: TakenOver, console: Console) -> None:
    """Print how many runs are new, and what could not be taken over as it was."""
    skipped = f"; {len(found.skipped)} skipped: already recorded" if found.skipped else ""
    console.print(
        f"{plural(len(found.recorded), 'run')} recorded{skipped}", markup=False, highlight=False
    )
    for note in found.notes:
        console.print(f"  {printable(note)}", markup=False, highlight=False, soft_wrap=True)


def taken_over_document(found: TakenOver) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    return {
        "recorded": list(found.recorded),
        "skipped": list(found.skipped),
        "notes": list(found.notes),
    }

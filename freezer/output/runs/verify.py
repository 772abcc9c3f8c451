"""Output of `freeze runs verify`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape

from freezer.output.text import plural, printable, show_rows

if TYPE_CHECKING:
    from rich.console import Console

    from freezer.flows.runs.repeat.verify import Verification

_STYLES = {"identical": "green", "not comparable": "yellow"}


def show_verification(found: Verification, console: Console) -> None:
    """Print a row for each run that was sampled, and how many are identical."""
    if not found.runs:
        console.print("no finished run to verify", highlight=False)
        return
    rows = [("[dim]run", "[dim]started", "[dim]reproduced as", "[dim]verdict", "")]
    for one in found.runs:
        style = _STYLES.get(one.verdict, "red")
        rows.append(
            (
                one.run.id[:8],
                str(one.run.started)[:16].replace("T", " "),
                (one.again or "")[:8],
                f"[{style}]{one.verdict}[/]",
                escape(printable(one.reason)),
            )
        )
    show_rows(rows, console)
    good = sum(one.verdict == "identical" for one in found.runs)
    console.print(
        f"{good} of {plural(len(found.runs), 'run')} identical to the bit, "
        f"sampled from {found.candidates} with seed {found.seed}",
        highlight=False,
    )


def verification_document(found: Verification) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    return {
        "seed": found.seed,
        "candidates": found.candidates,
        "good": found.good,
        "runs": [
            {
                "run": one.run.id,
                "started": str(one.run.started),
                "verdict": one.verdict,
                "reason": one.reason,
                "again": one.again,
            }
            for one in found.runs
        ],
    }

"""Output of `freeze runs collect`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape

from freezer.output.runs.runs import run_document
from freezer.output.text import plural, printable

if TYPE_CHECKING:
    from rich.console import Console

    from freezer.flows.runs.cluster.gather import Gathered


def show_collected(found: Gathered, console: Console) -> None:
    """Print each run that was recorded, and how many go on."""
    for run in found.runs:
        why = run.fields.get("slurm.reason", "")
        reason = f": {escape(printable(str(why)))}" if why else ""
        console.print(f"run {run.id}: {run.state}{reason}", highlight=False, soft_wrap=True)
    if found.waiting:
        console.print(f"{plural(len(found.waiting), 'run')} without a result yet", highlight=False)
    elif not found.runs:
        console.print("nothing to collect", highlight=False)


def collected_document(found: Gathered) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    return {
        "runs": [run_document(run) for run in found.runs],
        "waiting": list(found.waiting),
        "status": found.status,
    }

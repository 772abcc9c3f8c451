"""Output of `freeze runs import` and `freeze runs export --mlflow`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freezer.output.text import plural, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from freezer.flows.runs.transfer.import_runs import Imported
    from freezer.flows.runs.transfer.to_mlflow import Exported


def show_imported(found: Imported, console: Console) -> None:
    """Print how many runs are new, and what could not be imported unchanged."""
    _show(f"{plural(len(found.recorded), 'run')} recorded", found.skipped, found.notes, console)


def imported_document(found: Imported) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    return {
        "recorded": list(found.recorded),
        "skipped": list(found.skipped),
        "notes": list(found.notes),
    }


def show_exported(found: Exported, console: Console) -> None:
    """Print how many runs were sent, and what MLflow cannot store of them."""
    _show(f"{plural(len(found.sent), 'run')} sent", found.skipped, found.notes, console)


def exported_document(found: Exported) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    return {"sent": list(found.sent), "skipped": list(found.skipped), "notes": list(found.notes)}


def _show(what: str, skipped: Sequence[str], notes: Sequence[str], console: Console) -> None:
    more = f"; {len(skipped)} skipped: already recorded" if skipped else ""
    console.print(f"{what}{more}", markup=False, highlight=False)
    for note in notes:
        console.print(f"  {printable(note)}", markup=False, highlight=False, soft_wrap=True)

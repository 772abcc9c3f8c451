"""``freeze runs note``."""

from __future__ import annotations

from typing import Annotated

import typer

from freezer.cli.runs.options import RunName
from freezer.cli.session import current


def note(
    run: RunName, text: Annotated[str, typer.Argument(metavar="TEXT", help="What to remember.")]
) -> None:
    """Add a note to a run."""
    from freezer.flows.runs.ask import note as add

    changed = add(current.project(), run, text)
    current.stdout.print(f"run {changed.id}: {len(changed.notes)} notes", highlight=False)

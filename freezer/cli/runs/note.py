"""``freeze runs note``."""

from __future__ import annotations

from typing import Annotated

import typer

from freezer.cli.runs.shared.options import RunName
from freezer.cli.session import current
from freezer.errors import RunError


def note(
    run: RunName, text: Annotated[str, typer.Argument(metavar="TEXT", help="The text of the note.")]
) -> None:
    """Add a note to a run."""
    from freezer.flows.runs.queries import note as add
    from freezer.output.text import plural

    if not text.strip():
        raise RunError("the note is empty", expected="a text")
    changed, redacted = add(current.project(), run, text)
    if redacted:
        current.reporter().warn("secrets in the note are recorded as ***")
    current.stdout.print(f"run {changed.id}: {plural(len(changed.notes), 'note')}", highlight=False)

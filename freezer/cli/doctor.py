"""``freeze doctor``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from freezer.flows.doctor import examine, exit_code
from freezer.output.doctor import document, show


def doctor(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document instead of a table.")
    ] = False,
) -> None:
    """Say what is there for Freezer to work with, what is missing, and how to mend it."""
    findings = examine(Path.cwd())
    if as_json:
        typer.echo(document(findings))
    else:
        show(findings)
    raise typer.Exit(exit_code(findings))

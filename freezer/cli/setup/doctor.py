"""``freeze doctor``."""

from __future__ import annotations

import typer

from freezer.cli.options import Json
from freezer.cli.session import current


def doctor(json: Json = False) -> None:
    """Say what is there for Freezer to work with, what is missing, and how to mend it."""
    from freezer.flows.setup.doctor import examine, exit_code
    from freezer.output.doctor import document, show

    findings = examine(current.folder)
    if json:
        current.emit(document(findings))
    else:
        show(findings, current.stdout)
    raise typer.Exit(exit_code(findings))

"""``freeze doctor``."""

from __future__ import annotations

import typer

from freezer.cli.options import Json
from freezer.cli.session import current


def doctor(json: Json = False) -> None:
    """Report what Freezer needs and what it finds, what is missing, and how to fix it."""
    from freezer.flows.setup.doctor import examine, exit_code
    from freezer.output.doctor import document, show

    findings = examine(current.folder)
    if json:
        current.emit(document(findings))
    else:
        show(findings, current.stdout)
    raise typer.Exit(exit_code(findings))

"""``freeze audit``."""

from __future__ import annotations

from typing import Annotated

import typer

from freezer.cli.options import Env, Json
from freezer.cli.session import current
from freezer.errors import EXIT_NEGATIVE, EXIT_OK


def audit(
    env: Env = None,
    budget: Annotated[
        float,
        typer.Option(
            "--budget", metavar="SECONDS", min=1, help="Leave out factors that take longer."
        ),
    ] = 115.0,
    json: Json = False,
) -> None:
    """Measure what is not deterministic, one factor at a time; exit 1 if it does not repeat."""
    from freezer.flows.check.audit import audit as run
    from freezer.output.check.audit import document, show

    result = run(current.project(), env, budget=budget)
    if json:
        current.emit(document(result))
    else:
        show(result, current.stdout)
    raise typer.Exit(EXIT_OK if result.good else EXIT_NEGATIVE)

"""``freeze runs verify``."""

from __future__ import annotations

import secrets
import sys
from typing import Annotated

import typer

from freezer.cli.options import Json
from freezer.cli.runs.shared.options import Query
from freezer.cli.session import current
from freezer.cli.training_output import passed_on
from freezer.errors import EXIT_NEGATIVE, EXIT_OK


def verify(
    query: Query = None,
    sample: Annotated[
        int, typer.Option("--sample", metavar="N", help="How many runs to pick.", min=1)
    ] = 5,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="DATE", help="From runs since then, such as 2026-11-01."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Picks the same runs again.", min=0)
    ] = None,
    json: Json = False,
) -> None:
    """Pick finished runs and make each again; exit 1 unless all are identical."""
    from freezer.flows.runs.repeat.verify import since_time
    from freezer.flows.runs.repeat.verify import verify as check
    from freezer.output.runs.verify import show_verification, verification_document

    found = check(
        current.project(),
        sample=sample,
        seed=secrets.randbelow(1 << 31) if seed is None else seed,
        since=None if since is None else since_time(since),
        query=query,
        show=passed_on(sys.stderr, sys.stderr),
        picked=lambda number, count, run: current.reporter().note(
            f"Reproducing run {run.id} ({number} of {count})"
        ),
    )
    if json:
        current.emit(verification_document(found))
    else:
        show_verification(found, current.stdout)
    raise typer.Exit(EXIT_OK if found.good else EXIT_NEGATIVE)

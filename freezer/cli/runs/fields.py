"""``freeze runs fields``."""

from __future__ import annotations

import typer

from freezer.cli.options import Json
from freezer.cli.session import current


def fields(json: Json = False) -> None:
    """List every field that a filter can use."""
    from freezer.flows.runs.queries import fields as find

    found = find(current.project())
    if json:
        current.emit({"fields": found})
    else:
        for name in found:
            typer.echo(name)
        if not found:
            current.reporter().note("no runs yet; `freeze run ENV -- COMMAND` records one")

"""``freeze data verify``."""

from __future__ import annotations

import typer

from freezer.cli.data.options import EnvOption, Names
from freezer.cli.options import Json
from freezer.cli.session import current
from freezer.errors import EXIT_NEGATIVE, EXIT_OK


def verify(names: Names = None, env: EnvOption = None, json: Json = False) -> None:
    """Read every byte again; exit 1 for files that changed behind the file system's back."""
    from freezer.flows.data.status import verify as reread
    from freezer.output.data.status import show_verified, verified_document

    found = reread(current.project(), env, tuple(names or ()))
    if json:
        current.emit(verified_document(found))
    else:
        show_verified(found, current.stdout)
    raise typer.Exit(EXIT_OK if all(one.good for one in found) else EXIT_NEGATIVE)

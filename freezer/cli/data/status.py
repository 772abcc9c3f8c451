"""``freeze data status``."""

from __future__ import annotations

import typer

from freezer.cli.data.options import EnvOption, Names
from freezer.cli.options import Json
from freezer.cli.session import current
from freezer.errors import EXIT_NEGATIVE, EXIT_OK


def status(names: Names = None, env: EnvOption = None, json: Json = False) -> None:
    """Show each data set's digest, and whether it is as pinned and as recorded.

    Only files that changed are read. Exit 1 when one is not as the spec pins it.
    """
    from freezer.flows.data.status import status as find
    from freezer.output.data.status import document, show

    found = find(current.project(), env, tuple(names or ()))
    if json:
        current.emit(document(found))
    else:
        show(found, current.stdout)
    raise typer.Exit(EXIT_OK if all(one.as_pinned for one in found) else EXIT_NEGATIVE)

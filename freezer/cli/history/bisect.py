"""``freeze bisect``."""

from __future__ import annotations

from typing import Annotated

import typer

from freezer.cli.options import Env, Json, generation_name
from freezer.cli.session import current


def bisect(
    good: Annotated[
        str,
        typer.Option(
            "--good",
            metavar="A",
            help="A generation whose results are right: its number or first digits of its lock ID.",
        ),
    ],
    bad: Annotated[
        str, typer.Option("--bad", metavar="B", help="A later one whose results differ.")
    ],
    env: Env = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the images that were made only to be tried.")
    ] = False,
    json: Json = False,
) -> None:
    """Find the generation, and in it the package, that changed the results; builds in between."""
    from freezer.flows.compare.bisect import bisect as run
    from freezer.output.history.bisect import document, show

    found = run(current.project(), env, generation_name(good), generation_name(bad), keep=keep)
    if json:
        current.emit(document(found))
    else:
        show(found, current.stdout)

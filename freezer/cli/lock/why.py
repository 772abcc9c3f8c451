"""``freeze why``."""

from __future__ import annotations

from typing import Annotated

import typer

from freezer.cli.options import Json
from freezer.cli.session import current


def why(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[ENV] PACKAGE",
            help="The environment, not needed if there is only one; then a package of its lock.",
            show_default=False,
        ),
    ],
    ask: Annotated[
        bool,
        typer.Option(
            "--ask",
            help="Ask what would happen if it were released: how far it goes, and what changes "
            "with it.",
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Explain why a package is locked: what needs it, what holds its version, since when."""
    from freezer.flows.update.targets import split_environment
    from freezer.flows.why.why import why as find
    from freezer.output.lock.why import document, show

    # One word is the package, also where an environment has the same name.
    env, names = split_environment(current.folder, words) if len(words) > 1 else (None, words)
    if len(names) != 1:
        raise typer.BadParameter("give one package, and before it the environment, if any")
    found = find(current.project(), env, names[0], ask=ask)
    if json:
        current.emit(document(found))
    else:
        show(found, current.stdout)

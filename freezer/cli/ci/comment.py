"""``freeze ci comment``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from freezer.cli.options import Json
from freezer.cli.session import current


def comment(
    folder: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="The folder with the reports: .md and .txt files."),
    ],
    only_print: Annotated[
        bool, typer.Option("--print", help="Print the comment's Markdown; contact nothing.")
    ] = False,
    json: Json = False,
) -> None:
    """Comment on the pull request that CI runs for; an earlier comment is replaced."""
    from freezer.flows.ci.comment import compose, post

    body = compose(folder)
    if only_print:
        current.stdout.file.write(body)
        return
    posted = post(body)
    if json:
        current.emit({"comment": posted.number, "replaced": posted.replaced})
        return
    word = "replaced" if posted.replaced else "written"
    current.stdout.print(f"comment {posted.number} {word}", highlight=False)

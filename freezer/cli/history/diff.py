"""``freeze diff``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from freezer.cli.options import Json
from freezer.cli.session import current
from freezer.errors import EXIT_NEGATIVE, EXIT_OK


def diff(
    locks: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ENV] [A] [B]",
            help="Two locks: generations (3, @3, @-1), lock IDs, `current`, environments, paths of "
            "locks, or images. By default the generation before, and the current lock.",
            show_default=False,
        ),
    ] = None,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print Markdown, for a pull request.")
    ] = False,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write a page too.", show_default=False),
    ] = None,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit 1 when the two locks differ.")
    ] = False,
    json: Json = False,
) -> None:
    """Show what changed between two locks, and first what may change the results."""
    from freezer.flows.compare.diff import diff as run
    from freezer.flows.compare.diff import split_words
    from freezer.output.history.diff import document, page, show

    if markdown and json:
        raise typer.BadParameter("--markdown and --json both go to stdout: give one of them")
    words = list(locks or [])
    name, first, second = split_words(current.folder, words)
    if len(words) > 2 + (name is not None):
        raise typer.BadParameter("at most an environment and two locks")
    result = run(current.project(), name, first, second)
    if html is not None:
        from freezer.fetch.store.atomic import disk_errors, write_atomically

        with disk_errors(html.parent):
            write_atomically(html, page(result, "html").encode())
    if json:
        current.emit(document(result))
    elif markdown:
        current.stdout.print(page(result, "md"), markup=False, highlight=False, soft_wrap=True)
    else:
        show(result, current.stdout)
    raise typer.Exit(EXIT_NEGATIVE if exit_code and not result.diff.same else EXIT_OK)

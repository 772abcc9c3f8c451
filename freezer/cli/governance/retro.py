"""``freeze retro``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from freezer.cli.options import Env, Json, output_file
from freezer.cli.session import current


def retro(
    since: Annotated[
        str, typer.Option("--since", metavar="DATE", help="From this day on, such as 2026-11-01.")
    ],
    env: Env = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE.html",
            help="Write a self-contained page.",
            callback=output_file,
            show_default=False,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Look back: drifts and causes, rollbacks, deviations, what was never checked, runs."""
    from freezer.flows.review.retro import look_back
    from freezer.output.governance.retro import (
        retro_document,
        retro_page,
        show_retro,
        show_written,
    )

    if output is not None and output.suffix != ".html":
        raise typer.BadParameter(f"-o writes a page: {output} does not end in .html")
    found = look_back(current.project(), env, since)
    data = b""
    if output is not None:
        from freezer.fetch.store.atomic import disk_errors, write_atomically

        data = retro_page(found).encode()
        with disk_errors(output.parent):
            write_atomically(output, data)
    if json:
        current.emit(retro_document(found, output))
    elif output is not None:
        show_written(found, output, len(data), current.stdout)
    else:
        show_retro(found, current.stdout)

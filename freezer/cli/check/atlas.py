"""``freeze atlas``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from freezer.cli.options import Json, output_file
from freezer.cli.session import current


def atlas(
    package: Annotated[
        str | None,
        typer.Argument(metavar="PACKAGE", help="One library.", show_default=False),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE.html",
            help="Write a page to search instead.",
            callback=output_file,
            show_default=False,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Print what libraries do to the bits of results, as measured: threads, processes, releases."""
    from freezer.flows.atlas.atlas import atlas as find
    from freezer.output.check.atlas import document, show

    if output is not None and output.suffix != ".html":
        raise typer.BadParameter(f"-o writes .html, and {output} is none")
    found = find(package)
    if output is not None:
        from freezer.fetch.store.atomic import disk_errors, write_atomically
        from freezer.output.check.atlas_page import page_html, show_page

        data = page_html(found).encode()
        with disk_errors(output.parent):
            write_atomically(output, data)
        if not json:
            show_page(found, output, len(data), current.stdout)
            return
    if json:
        current.emit(document(found))
    else:
        show(found, current.stdout)

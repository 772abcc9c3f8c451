"""``freeze runs page``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from freezer.cli.options import Json, output_file
from freezer.cli.runs.shared.options import Query
from freezer.cli.session import current


def page(
    query: Query = None,
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="FILE.html", help="Where to write it.", callback=output_file
        ),
    ] = Path("runs.html"),
    limit: Annotated[
        int, typer.Option("--limit", "-n", help="Runs at most, the latest.", min=1)
    ] = 10_000,
    json: Json = False,
) -> None:
    """Write runs as one page to sort, filter, draw and compare; it needs nothing else."""
    if output.suffix != ".html":
        raise typer.BadParameter(f"-o writes .html, and {output} is none")
    from freezer.fetch.store.atomic import disk_errors, write_atomically
    from freezer.flows.runs.page.gather import gather
    from freezer.output.runs.page import page_document, page_html, show_page

    found = gather(current.project(), query, limit=limit)
    data = page_html(found).encode()
    with disk_errors(output.parent):
        write_atomically(output, data)
    if json:
        current.emit(page_document(found, output, len(data)))
    else:
        show_page(found, output, len(data), current.stdout)

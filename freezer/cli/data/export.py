"""``freeze data export``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from freezer.cli.data.options import EnvOption
from freezer.cli.options import Json, text_output
from freezer.cli.session import current


def _date(text: str | None) -> str | None:
    if text is not None and not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        raise typer.BadParameter(f"{text!r} is no date such as 2026-11-30")
    return text


def export(  # noqa: PLR0913, PLR0917 - one for each option
    name: Annotated[str, typer.Argument(metavar="NAME", help="A data set of the spec.")],
    croissant: Annotated[
        bool, typer.Option("--croissant", help="As Croissant 1.0 (JSON-LD), with each SHA-256.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Write it there instead of to stdout.",
            callback=text_output, show_default=False,
        ),
    ] = None,
    description: Annotated[
        str | None, typer.Option("--description", metavar="TEXT", help="What the data are.")
    ] = None,
    license_: Annotated[
        str | None,
        typer.Option("--license", metavar="LICENSE", help="An SPDX identifier or an address."),
    ] = None,
    creator: Annotated[
        str | None, typer.Option("--creator", metavar="NAME", help="Who made the data.")
    ] = None,
    url: Annotated[
        str | None,
        typer.Option("--url", metavar="URL", help="Where the files can be had, as a folder."),
    ] = None,
    published: Annotated[
        str | None,
        typer.Option("--published", metavar="DATE", help="Such as 2026-11-30.", callback=_date),
    ] = None,
    env: EnvOption = None,
    json: Json = False,
) -> None:  # fmt: skip
    """Describe a data set for others, with path, size and SHA-256 of each file."""
    from freezer.data.croissant import About
    from freezer.fetch.store.atomic import disk_errors, write_atomically
    from freezer.flows.data.export import export_croissant
    from freezer.output.data.export import document, show

    if not croissant:
        raise typer.BadParameter("choose a format: --croissant")
    about = About(
        description=description, license=license_, creator=creator, url=url, published=published
    )
    folder = None if output is None else output.parent
    found = export_croissant(current.project(), env, name, about, folder)
    if output is not None:
        with disk_errors(output.parent):
            write_atomically(output, found.data)
    if json:
        current.emit(document(found, output))
    else:
        show(found, output, current.stdout)

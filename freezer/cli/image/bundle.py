"""``freeze bundle``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from freezer.cli.options import Env, Json, output_file
from freezer.cli.session import current


def bundle(
    env: Env = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="The file to write.",
            callback=output_file,
            show_default=False,
        ),
    ] = None,
    check: Annotated[
        Path | None,
        typer.Option(
            "--check", metavar="FILE", help="Only verify this bundle.", show_default=False
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Write everything that the image is made from into one file, for hosts without a network."""
    from freezer.flows.image.bundle import bundle as write
    from freezer.flows.image.bundle import check_bundle
    from freezer.output.image.bundle import document, show

    if (output is None) == (check is None):
        raise typer.BadParameter("give -o FILE to write a bundle, or --check FILE to verify one")
    if check is not None:
        done = check_bundle(current.project(), check)
    else:
        done = write(current.project(), env, output or Path())
    if json:
        current.emit(document(done))
    else:
        show(done, current.stdout, written=check is None)

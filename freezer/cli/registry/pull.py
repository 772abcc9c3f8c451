"""``freeze pull``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from freezer.cli.options import Json
from freezer.cli.session import current


def pull(
    reference: Annotated[
        str,
        typer.Argument(metavar="REFERENCE", help="registry/repository@sha256:…, as pushed."),
    ],
    documents: Annotated[
        Path | None,
        typer.Option(
            "--documents",
            metavar="FOLDER",
            help="Write the documents about the image there: bills of materials, provenance, "
            "signed statements.",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Pull an image and its references from a registry, by digest, every byte verified."""
    from freezer.flows.attest.pull import pull as run
    from freezer.output.image.push import pulled_document, show_pulled

    done = run(current.project(), reference, documents)
    if json:
        current.emit(pulled_document(done))
    else:
        show_pulled(done, current.stdout)

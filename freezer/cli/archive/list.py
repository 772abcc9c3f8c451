"""``freeze archive list``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from freezer.cli.options import Json
from freezer.cli.session import current


def list(  # noqa: A001 - the command's name
    archive: Annotated[Path, typer.Argument(metavar="DIR", help="The archive.")],
    json: Json = False,
) -> None:
    """List the environments of an archive and their versions."""
    from freezer.flows.governance.archive import list_archive
    from freezer.output.governance.archive import listed_document, show_listed

    found = list_archive(archive)
    if json:
        current.emit(listed_document(found))
    else:
        show_listed(found, current.stdout)

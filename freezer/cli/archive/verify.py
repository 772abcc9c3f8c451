"""``freeze archive verify``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from freezer.cli.options import Json
from freezer.cli.session import current
from freezer.errors import EXIT_NEGATIVE, EXIT_OK


def verify(
    archive: Annotated[Path, typer.Argument(metavar="DIR", help="The archive.")],
    json: Json = False,
) -> None:
    """Read every byte of an archive; exit 1 if anything is not what was written."""
    from freezer.flows.governance.archive import verify_archive
    from freezer.output.governance.archive import fixity_document, show_fixity

    done = verify_archive(current.project(), archive)
    if json:
        current.emit(fixity_document(done))
    else:
        show_fixity(done, archive, current.stdout)
    raise typer.Exit(EXIT_NEGATIVE if done.findings else EXIT_OK)

"""``freeze archive verify``."""

from __future__ import annotations

import typer

from freezer.cli.archive.options import Archive, PublicKeys
from freezer.cli.governance.options import At, moment
from freezer.cli.options import Json
from freezer.cli.session import current
from freezer.errors import EXIT_NEGATIVE, EXIT_OK


def verify(archive: Archive, keys: PublicKeys = None, at: At = None, json: Json = False) -> None:
    """Read every byte of an archive; exit 1 if anything is not what was written, or not signed."""
    from freezer.flows.governance.archive.verify import verify_archive
    from freezer.output.governance.archive import fixity_document, show_fixity

    done = verify_archive(current.project(), archive, keys or (), moment(at))
    if json:
        current.emit(fixity_document(done))
    else:
        show_fixity(done, current.stdout)
    raise typer.Exit(EXIT_NEGATIVE if done.findings else EXIT_OK)

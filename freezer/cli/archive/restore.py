"""``freeze archive restore``."""

from __future__ import annotations

from typing import Annotated

import typer

from freezer.cli.archive.options import Archive, PublicKeys
from freezer.cli.governance.options import At, moment
from freezer.cli.options import Json
from freezer.cli.session import current


def restore(
    archive: Archive,
    env: Annotated[str, typer.Argument(metavar="ENV", help="The environment.")],
    version: Annotated[
        str | None,
        typer.Option(
            "--version", metavar="VN", help="Such as v1; by default the newest.", show_default=False
        ),
    ] = None,
    keys: PublicKeys = None,
    at: At = None,
    json: Json = False,
) -> None:
    """Restore an environment into this project, with every file: it builds without a network.

    Runs that were archived with it are recorded in the ledger.
    """
    from freezer.flows.governance.archive.restore import restore_archive
    from freezer.output.governance.archive import restored_document, show_restored

    done = restore_archive(current.project(), archive, env, version, keys or (), moment(at))
    if json:
        current.emit(restored_document(done))
    else:
        show_restored(done, current.stdout)

"""``freeze archive create``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from freezer.cli.options import Env, Json
from freezer.cli.session import current


def create(
    to: Annotated[
        Path,
        typer.Option("--to", metavar="DIR", help="The archive: a folder of its own, or a new one."),
    ],
    env: Env = None,
    json: Json = False,
) -> None:
    """Add an environment to an archive: lock, history, references, spec, SBOM, every file."""
    from freezer.flows.governance.archive import create_archive
    from freezer.output.governance.archive import created_document, show_created

    done = create_archive(current.project(), env, to)
    if json:
        current.emit(created_document(done))
    else:
        show_created(done, current.stdout)

"""``freeze verify``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from freezer.cli.options import Env, Json
from freezer.cli.session import current
from freezer.errors import EXIT_NEGATIVE, EXIT_OK


def verify(
    keys: Annotated[
        list[Path],
        typer.Option(
            "--key", metavar="FILE", help="A public key as PEM; several times for several keys."
        ),
    ],
    env: Env = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "--file",
            metavar="FILE",
            help="A statement elsewhere than next to the lock.",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Verify the signed provenance of the lock; exit 1 if none of the keys signed it."""
    from freezer.flows.governance.attest import verify_lock
    from freezer.output.governance.attest import show_verified, verified_document

    done = verify_lock(current.project(), env, keys, file)
    if json:
        current.emit(verified_document(done))
    else:
        show_verified(done, current.stdout)
    raise typer.Exit(EXIT_OK if done.problem is None else EXIT_NEGATIVE)

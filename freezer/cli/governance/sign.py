"""``freeze sign``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from freezer.cli.options import Env, Json
from freezer.cli.session import current


def sign(
    key: Annotated[
        Path,
        typer.Option(
            "--key",
            metavar="FILE",
            help="A private key as PEM: ed25519 or ECDSA P-256. The password of an encrypted one "
            "is read from FREEZER_KEY_PASSWORD.",
        ),
    ],
    env: Env = None,
    builder: Annotated[
        str | None,
        typer.Option(
            "--builder",
            metavar="URL",
            help="Who built, such as the URL of a CI system.",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Sign the provenance of the lock and its image: what it is made of, and who built it."""
    from freezer.flows.governance.attest import sign_lock
    from freezer.output.governance.attest import show_signed, signed_document

    done = sign_lock(current.project(), env, key, builder=builder)
    if json:
        current.emit(signed_document(done))
    else:
        show_signed(done, current.stdout)

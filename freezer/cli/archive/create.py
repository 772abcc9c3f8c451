"""``freeze archive create``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from freezer.cli.governance.options import PasswordFile, password
from freezer.cli.options import Env, Json
from freezer.cli.session import current


def create(
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="ARCHIVE",
            help="A folder of its own or a new one, s3://BUCKET/PREFIX, or REGISTRY/REPOSITORY.",
        ),
    ],
    env: Env = None,
    key: Annotated[
        Path | None,
        typer.Option(
            "--key",
            metavar="FILE",
            help="Sign the version with this private key, ed25519 or ECDSA P-256. The password of "
            "an encrypted one comes from --password-file or FREEZER_KEY_PASSWORD, else it is asked "
            "for.",
            show_default=False,
        ),
    ] = None,
    password_file: PasswordFile = None,
    runs: Annotated[
        list[str] | None,
        typer.Option(
            "--runs",
            metavar="ID|QUERY",
            help="Add runs of the ledger with their outputs: an ID, or a filter as in "
            "`freeze runs query`. May be repeated.",
            show_default=False,
        ),
    ] = None,
    reports: Annotated[
        list[Path] | None,
        typer.Option(
            "--report", metavar="FILE", help="Add a report. May be repeated.", show_default=False
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Add an environment to an archive: lock, history, references, spec, SBOM, every file."""
    from freezer.flows.governance.archive.create import create_archive
    from freezer.output.governance.archive import created_document, show_created

    done = create_archive(
        current.project(),
        env,
        to,
        key=key,
        password=password(password_file),
        runs=runs or (),
        reports=reports or (),
    )
    if json:
        current.emit(created_document(done))
    else:
        show_created(done, current.stdout)

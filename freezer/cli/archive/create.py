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
            help="Where to: a folder of its own or a new one, a bucket (s3://…), or a repository "
            "of a registry.",
        ),
    ],
    env: Env = None,
    key: Annotated[
        Path | None,
        typer.Option(
            "--key",
            metavar="FILE",
            help="Sign the version with this private key, ed25519 or ECDSA P-256. The password of "
            "an encrypted one is found as by `freeze sign`.",
            show_default=False,
        ),
    ] = None,
    password_file: PasswordFile = None,
    runs: Annotated[
        list[str] | None,
        typer.Option(
            "--runs",
            metavar="RUNS",
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

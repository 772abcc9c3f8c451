"""``freeze evidence``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from freezer.cli.options import Env, Json
from freezer.cli.session import current


def evidence(
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="DIR", help="A new folder, or an empty one."),
    ],
    env: Env = None,
    added: Annotated[
        list[Path] | None,
        typer.Option(
            "--add",
            metavar="FILE",
            help="A report to copy, such as of check or audit; several times for several.",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Collect what supports an audit: lock, SBOM, provenance, checks, policy, history, runs."""
    from freezer.flows.review.evidence import collect_evidence, require_free, write_folder
    from freezer.output.governance.evidence import (
        evidence_document,
        evidence_files,
        show_evidence,
    )

    require_free(output)
    found = collect_evidence(current.project(), env, added or ())
    files = evidence_files(found)
    write_folder(output, files)
    if json:
        current.emit(evidence_document(found, output, files))
    else:
        show_evidence(found, output, files, current.stdout)

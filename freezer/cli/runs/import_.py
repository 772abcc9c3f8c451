"""``freeze runs import``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from freezer.cli.options import Json
from freezer.cli.session import current
from freezer.errors import RunError


def import_(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]", help="What `freeze runs export --format json` wrote.",
            show_default=False,
        ),
    ] = None,
    mlflow: Annotated[
        str | None,
        typer.Option(
            "--mlflow", metavar="URI|FOLDER",
            help="Import the runs of a file store, a SQLite store or a tracking server.",
        ),
    ] = None,
    json: Json = False,
) -> None:  # fmt: skip
    """Record the runs of an export or of MLflow; those that are there already are skipped."""
    if (file is None) == (mlflow is None):
        raise RunError(
            "an import needs one source",
            found="both FILE and --mlflow" if file else "none",
            expected="FILE, or --mlflow URI",
        )
    from freezer.flows.runs.transfer.from_mlflow import import_mlflow
    from freezer.flows.runs.transfer.import_runs import import_file
    from freezer.output.runs.transfer import imported_document, show_imported

    project = current.project()
    found = import_mlflow(project, mlflow) if mlflow else import_file(project, file or Path())
    if json:
        current.emit(imported_document(found))
    else:
        show_imported(found, current.stdout)

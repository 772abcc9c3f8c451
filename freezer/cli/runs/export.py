"""``freeze runs export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from freezer.cli.options import Json, output_file
from freezer.cli.runs.shared.options import Form, OutputFile, Query
from freezer.cli.runs.shared.tables import hand_out
from freezer.cli.session import current
from freezer.errors import RunError


def export(  # noqa: PLR0913, PLR0917 - an option each
    query: Query = None,
    form: Annotated[
        Form, typer.Option("--format", help="json has everything; csv and parquet a row a run.")
    ] = Form.JSON,
    output: OutputFile = None,
    mlflow: Annotated[
        str | None,
        typer.Option(
            "--mlflow", metavar="URI", help="Export the runs to a tracking server instead."
        ),
    ] = None,
    experiment: Annotated[
        str | None,
        typer.Option("--experiment", help="Of MLflow; by default named like the environment."),
    ] = None,
    ro_crate: Annotated[
        Path | None,
        typer.Option("--ro-crate", metavar="DIR", help="Write a Workflow Run RO-Crate, with PROV."),
    ] = None,
    license_: Annotated[
        str | None, typer.Option("--license", help="Of the crate: a URL, or words.")
    ] = None,
    author: Annotated[str | None, typer.Option("--author", help="Of the crate.")] = None,
    json: Json = False,
) -> None:
    """Write runs to a file: whole as JSON, for `freeze runs import`, or as a table."""
    if [output, mlflow, ro_crate].count(None) != 2:
        places = "-o FILE, --mlflow URI, or --ro-crate DIR"
        raise RunError("an export needs one destination", expected=places)
    if mlflow is not None:
        _to_mlflow(query, mlflow, experiment, json=json)
        return
    if ro_crate is not None:
        _to_crate(query, ro_crate, license_, author, json=json)
        return
    path = output_file(output)
    if path is None:
        return
    if form is Form.TABLE:
        raise RunError("a table is for a terminal", expected="--format json, csv or parquet")
    if form is Form.JSON:
        _to_file(query, path, json=json)
        return
    from freezer.flows.runs.transfer.tables import query as find

    hand_out(find(current.project(), query), form, path)


def _to_mlflow(query: str | None, address: str, experiment: str | None, *, json: bool) -> None:
    from freezer.flows.runs.transfer.to_mlflow import export_mlflow
    from freezer.output.runs.transfer import exported_document, show_exported

    found = export_mlflow(current.project(), query, address, experiment)
    if json:
        current.emit(exported_document(found))
    else:
        show_exported(found, current.stdout)


def _to_crate(
    query: str | None, folder: Path, license_: str | None, author: str | None, *, json: bool
) -> None:
    from freezer.flows.runs.transfer.crate import export_crate
    from freezer.ledger.exchange.crate_entities import About

    count = export_crate(current.project(), query, folder, About(license_, author))
    _show(count, folder, json=json)


def _to_file(query: str | None, path: Path, *, json: bool) -> None:
    from freezer.fetch.store.atomic import disk_errors, replacing
    from freezer.flows.runs.transfer.export import export_json

    with disk_errors(path.parent), replacing(path, durable=True) as stream:
        count = export_json(current.project(), query, stream)
    _show(count, path, json=json)


def _show(count: int, path: Path, *, json: bool) -> None:
    from freezer.output.text import plural

    if json:
        current.emit({"file": str(path), "runs": count})
    else:
        text = f"{plural(count, 'run')} written to {path}"
        current.stdout.print(text, markup=False, highlight=False)

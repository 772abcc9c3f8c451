"""`freeze runs import --mlflow`: the runs of a file store, a SQLite store or a tracking server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from freezer.errors import LedgerError
from freezer.fetch.http.redact import redact
from freezer.flows.runs.ledger import project_ledger
from freezer.flows.runs.request import typed
from freezer.flows.runs.results.training_files import last_value
from freezer.flows.runs.transfer.import_runs import Imported
from freezer.ledger.exchange.validate import require_run
from freezer.ledger.record import record_new
from freezer.model.record.run import Run, Time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from freezer.flows.project.project import Project
    from freezer.ledger.foreign.found import Budget, ForeignRun
    from freezer.ledger.series import Points
    from freezer.model.record.run import Value

ENVIRONMENT: Final = "mlflow"
"""The environment's name of imported runs."""
_STATES: Final = {"FINISHED": "finished", "FAILED": "failed", "KILLED": "interrupted"}
_POINTS: Final = 100_000_000
"""Maximum points of one import."""


def import_mlflow(project: Project, source: str) -> Imported:
    """Record the runs of MLflow: all of them, or none; those that are already recorded are skipped.

    ``source`` is a folder, a file of SQLite's, or an address (``sqlite:///``, ``file://``,
    ``https://``). Secrets are left out. Raises ``LedgerError`` for any other source.
    """
    from freezer.ledger.foreign.found import Budget

    budget = Budget(points=_POINTS, names=10_000_000, text=1 << 30, size=64 << 30)
    runs = list(_sources(source, budget))
    if not runs:
        raise LedgerError(
            "no runs of MLflow were found",
            details=budget.summary(),
            found=redact(source),
            expected="a folder with a file store, mlflow.db, or a tracking server's address",
        )
    with project_ledger(project) as ledger:
        new, known = record_new(ledger, _converted(runs, budget), by_id=True)
    return Imported(tuple(new), tuple(known), tuple(budget.summary()))


def _sources(source: str, budget: Budget) -> Iterable[ForeignRun]:
    scheme, mark, rest = source.partition("://")
    if mark and scheme in ("http", "https"):
        from freezer.ledger.foreign.mlflow_api import Api
        from freezer.ledger.foreign.mlflow_server import server_runs

        return server_runs(Api(source), budget)
    if mark and scheme not in ("file", "sqlite"):
        raise LedgerError(
            "this kind of MLflow store cannot be read directly",
            found=redact(source),
            hint="start `mlflow server --backend-store-uri ...` and use its address",
        )
    path = (
        Path(unquote(rest.removeprefix("/") if scheme == "sqlite" else rest))
        if mark
        else Path(source)
    )
    return _local(path, budget)


def _local(path: Path, budget: Budget) -> Iterator[ForeignRun]:
    from freezer.ledger.foreign.files import scan
    from freezer.ledger.foreign.mlflow_files import file_runs
    from freezer.ledger.foreign.mlflow_sql import sql_runs

    if path.is_dir():
        yield from file_runs(scan(path), budget)
        for database in sorted(path.glob("*.db")):
            yield from sql_runs(database, budget)
    elif path.is_file():
        yield from sql_runs(path, budget)
    else:
        raise LedgerError("no such file or folder", found=str(path))


def _converted(
    runs: Iterable[ForeignRun], budget: Budget
) -> Iterator[tuple[Run, dict[str, Points]]]:
    seen: set[str] = set()
    for one in runs:
        if one.status not in _STATES:
            budget.note(f"{one.id}: left out: it is {one.status or 'without a state'}")
            continue
        if one.id in seen:
            continue
        seen.add(one.id)
        run, metrics = converted(one)
        try:
            require_run(run)
        except ValueError as error:
            budget.note(f"{one.id[:32]}: left out: {error}")
            continue
        yield run, metrics


def converted(found: ForeignRun) -> tuple[Run, dict[str, Points]]:
    """Return a run of MLflow's as one of Freezer's; parameters get the type of their text."""
    fields: dict[str, Value] = {
        f"params.{name}": typed(text) for name, text in found.params.items()
    }
    metrics = {f"metrics.{name}": points for name, points in found.metrics.items()}
    fields |= {name: last_value(points) for name, points in metrics.items()}
    fields |= {"mlflow.experiment": found.experiment, "mlflow.name": found.name}
    start = found.started if found.started is not None else found.ended or 0
    run = Run(
        found.id,
        ENVIRONMENT,
        _STATES[found.status],
        Time(start),
        ended=None if found.ended is None else Time(found.ended),
        fields=fields,
        tags=found.tags,
        links={"parent": found.parent} if found.parent else {},
    )
    return run, metrics

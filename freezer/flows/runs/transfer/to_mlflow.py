"""`freeze runs export --mlflow`: sends runs to a tracking server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.errors import LedgerError
from freezer.fetch.http.redact import redact
from freezer.flows.runs.ledger import project_ledger
from freezer.ledger import query

if TYPE_CHECKING:
    from freezer.flows.project.project import Project


@dataclass(frozen=True)
class Exported:
    """The result of an export to a tracking server."""

    sent: tuple[str, ...]
    """IDs of the runs that are new there."""
    skipped: tuple[str, ...]
    """IDs of the runs that an earlier export sent."""
    notes: tuple[str, ...]
    """What MLflow cannot store, and runs that are left out."""


def export_mlflow(
    project: Project, text: str | None, address: str, experiment: str | None
) -> Exported:
    """Send the runs that match a filter to a tracking server, the earliest first.

    Each goes into the experiment of that name, else of its environment's. A run that an earlier
    export sent is skipped. Raises ``QueryError``, and ``LedgerError`` when the server refuses; the
    runs before are there then.
    """
    from freezer.ledger.foreign.mlflow_api import Api
    from freezer.ledger.foreign.mlflow_send import experiment_id, is_there, send_run

    if not address.startswith(("http://", "https://")):
        raise LedgerError(
            "runs are exported to a tracking server only",
            found=redact(address),
            expected="an address such as http://127.0.0.1:5000",
            hint="start one with `mlflow server --backend-store-uri sqlite:///mlflow.db`",
        )
    api = Api(address)
    sent: list[str] = []
    skipped: list[str] = []
    notes: list[str] = []
    known: dict[str, str] = {}
    with project_ledger(project, reading=True) as ledger:
        runs = query.find(ledger, text, limit=None)[::-1]
        with project.report.task("Sending runs", total=len(runs), unit="runs") as task:
            for run in runs:
                name = experiment or run.environment
                if name not in known:
                    known[name] = experiment_id(api, name)
                if run.state == "running":
                    notes.append(f"{run.id}: left out: it is still running")
                elif is_there(api, known[name], run):
                    skipped.append(run.id)
                else:
                    series = query.all_points(ledger, run.id)
                    notes += [f"{run.id}: {one}" for one in send_run(api, known[name], run, series)]
                    sent.append(run.id)
                task.advance(1)
    return Exported(tuple(sent), tuple(skipped), tuple(notes))

"""MLflow's side: ``MLFLOW/bin/python -m benchmarks.ledger.mlflow_side URL``.

Uses what its documentation names as the fastest way: the client, with one batch a run. Only the
filling writes rows by MLflow's own table models: by the client it would take an hour.
"""

from __future__ import annotations

import math
import sys
from functools import partial
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, Run
from mlflow.store.tracking.dbmodels import models
from mlflow.tracking._tracking_service.utils import _get_store
from sqlalchemy import insert, text

from benchmarks.ledger.workload import PAGE, example, serve, timed

BLOCK = 250


class Side:
    """One store."""

    def __init__(self, url: str) -> None:
        self.client = MlflowClient(url)
        found = self.client.get_experiment_by_name("bench")
        self.experiment = (
            found.experiment_id if found else self.client.create_experiment("bench", "/nowhere")
        )
        self.engine = _get_store(url).engine
        self.batched = ""
        """The run that batches are added to."""
        self.step = 0

    def settings(self) -> str:
        """Say how it is synced."""
        with self.engine.connect() as connection:
            if self.engine.dialect.name != "sqlite":
                found = connection.execute(text("SHOW synchronous_commit")).scalar()
                return f"synchronous_commit={found}"
            level = connection.execute(text("PRAGMA synchronous")).scalar()
            mode = connection.execute(text("PRAGMA journal_mode")).scalar()
        return f"journal_mode={mode}, synchronous={['OFF', 'NORMAL', 'FULL', 'EXTRA'][int(level)]}"

    def fill(self, runs: int) -> int:
        """Write runs as rows."""
        for start in range(0, runs, BLOCK):
            rows: dict[Any, list[dict[str, Any]]] = {}
            for number in range(start, min(start + BLOCK, runs)):
                for table, row in self._rows(number):
                    rows.setdefault(table, []).append(row)
            with self.engine.begin() as connection:
                for table, some in rows.items():
                    connection.execute(insert(table), some)
        return runs

    def _rows(self, number: int) -> list[tuple[Any, dict[str, Any]]]:
        made, run = example(number), f"{number:032x}"
        start = made.started * 1000
        info = {
            "run_uuid": run, "name": f"run{number}", "source_type": "LOCAL", "source_name": "",
            "entry_point_name": "", "user_id": "me", "status": made.status.upper(),
            "start_time": start, "end_time": start + 60_000, "source_version": "",
            "lifecycle_stage": "active", "artifact_uri": "/nowhere",
            "experiment_id": int(self.experiment),
        }  # fmt: skip
        rows: list[tuple[Any, dict[str, Any]]] = [(models.SqlRun, info)]
        rows += [
            (models.SqlParam, {"run_uuid": run, "key": name, "value": value})
            for name, value in made.params.items()
        ]
        for tag, value in (("lock", made.lock), ("data", made.data), ("mlflow.runName", "run")):
            rows.append((models.SqlTag, {"run_uuid": run, "key": tag, "value": value}))
        for name, last in made.metrics.items():
            nan = math.isnan(last)
            row = {"run_uuid": run, "key": name, "value": 0 if nan else last, "step": 0}
            row |= {"timestamp": start, "is_nan": nan}
            rows += [(models.SqlMetric, row), (models.SqlLatestMetric, row)]
        return rows

    def record(self, count: int) -> list[tuple[float, float]]:
        """Record runs of 5 metrics and 10 parameters."""

        def work() -> None:
            run = self.client.create_run(self.experiment).info.run_id
            params = [Param(f"p{one}", repr(one / 7)) for one in range(10)]
            metrics = [Metric(f"m{one}", one / 3, 0, 0) for one in range(5)]
            self.client.log_batch(run, metrics=metrics, params=params)
            self.client.set_terminated(run)

        return [timed(work)[:2] for _ in range(count)]

    def batch(self, count: int) -> list[tuple[float, float]]:
        """Add batches of 1,000 metrics to one run."""
        run = self.batched = self.batched or self.client.create_run(self.experiment).info.run_id
        took = []
        for _ in range(count):
            steps = range(self.step, self.step + 100)
            self.step += 100
            metrics = [
                Metric(f"m{one}", step / (one + 3), step, step)
                for one in range(10)
                for step in steps
            ]
            took.append(timed(partial(self.client.log_batch, run, metrics=metrics))[:2])
        return took

    def query(self, filter: str) -> tuple[float, float, int, int]:  # noqa: A002 - as given
        """Answer a query; also return how many runs and values came."""

        def work() -> list[Run]:
            found: list[Run] = self.client.search_runs([self.experiment], filter, max_results=PAGE)
            return found

        wall, cpu, found = timed(work)
        return wall, cpu, len(found), sum(len(o.data.params) + len(o.data.metrics) for o in found)

    def series(self, points: int) -> tuple[float, float, int]:
        """Read a series of so many points."""
        run = self.client.create_run(self.experiment).info.run_id
        rows = [
            {"run_uuid": run, "key": "loss", "value": step / 3, "step": step,
             "timestamp": step, "is_nan": False}
            for step in range(points)
        ]  # fmt: skip
        with self.engine.begin() as connection:
            connection.execute(insert(models.SqlMetric), rows)
            connection.execute(insert(models.SqlLatestMetric), rows[-1:])
        wall, cpu, found = timed(lambda: self.client.get_metric_history(run, "loss"))
        return wall, cpu, len(found)


def main() -> None:
    side = Side(sys.argv[1])
    names = ("settings", "fill", "record", "batch", "query", "series")
    serve({name: getattr(side, name) for name in names})


if __name__ == "__main__":
    main()

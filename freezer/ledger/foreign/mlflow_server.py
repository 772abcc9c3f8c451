"""The runs of a tracking server, whole: parameters, tags, and every series."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final

from freezer.ledger.foreign.found import ForeignRun, keep_text
from freezer.ledger.foreign.mlflow_api import number, objects, whole
from freezer.ledger.foreign.mlflow_sql import INFINITY
from freezer.ledger.series import Points

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freezer.ledger.foreign.found import Budget
    from freezer.ledger.foreign.mlflow_api import Api

_PAGE: Final = 1000
_HISTORY: Final = 25_000
"""Points on one page of a series: the server's maximum."""
_ID: Final = re.compile(r"[0-9a-f]{32}")


def server_runs(api: Api, budget: Budget) -> Iterator[ForeignRun]:
    """Yield the runs of every experiment that are not deleted. Raises ``LedgerError``."""
    experiments = api.pages(
        "experiments/search", {"max_results": _PAGE, "view_type": "ACTIVE_ONLY"}, "experiments"
    )
    for experiment in list(experiments):
        name = str(experiment.get("name", ""))[:250]
        asked = {
            "experiment_ids": [str(experiment.get("experiment_id", ""))],
            "max_results": _PAGE,
            "run_view_type": "ACTIVE_ONLY",
            "order_by": ["attributes.start_time ASC"],
        }
        for found in api.pages("runs/search", asked, "runs"):
            run = _run(found, name, budget)
            if run is not None:
                _read_series(api, found, run, budget)
                yield run


def _run(found: dict[str, Any], experiment: str, budget: Budget) -> ForeignRun | None:
    info, data = _object(found, "info"), _object(found, "data")
    identifier = str(info.get("run_id", ""))
    if not _ID.fullmatch(identifier):
        budget.note(f"a run without an ID of MLflow's: {identifier[:50]!r}")
        return None
    run = ForeignRun(
        identifier,
        name=str(info.get("run_name", ""))[:250],
        experiment=experiment,
        status=str(info.get("status", ""))[:20],
        started=_micros(info.get("start_time")),
        ended=_micros(info.get("end_time")),
    )
    for part, kept in (("params", run.params), ("tags", run.tags)):
        for one in objects(data.get(part)):
            keep_text(budget, kept, str(one.get("key", "")), str(one.get("value", "")))
    run.parent = run.tags.get("mlflow.parentRunId", "")
    return run


def _object(found: dict[str, Any], name: str) -> dict[str, Any]:
    inner = found.get(name)
    return inner if isinstance(inner, dict) else {}


def _micros(found: Any) -> int | None:
    value = whole(found)
    return value * 1000 if value and 0 < value < 10**15 else None


def _read_series(api: Api, found: dict[str, Any], run: ForeignRun, budget: Budget) -> None:
    for metric in objects(_object(found, "data").get("metrics")):
        name = str(metric.get("key", ""))
        if budget.takes(name):
            points = [one for one in _history(api, run.id, name, budget) if budget.takes_points()]
            if points:
                run.metrics[name] = Points.of(points)


def _history(api: Api, run: str, name: str, budget: Budget) -> Iterator[tuple[int, int, float]]:
    token = ""
    for _ in range(budget.points // _HISTORY + 2):
        asked = {"run_id": run, "metric_key": name, "max_results": _HISTORY}
        answer = api.get(
            "metrics/get-history", {**asked, **({"page_token": token} if token else {})}
        )
        for one in objects(answer.get("metrics")):
            value, step, time = (
                number(one.get("value")),
                whole(one.get("step")),
                whole(one.get("timestamp")),
            )
            if value is None or step is None or time is None or abs(time) >= 10**15:
                budget.left_out += 1
                continue
            yield (
                step,
                time * 1000,
                math.copysign(math.inf, value) if abs(value) == INFINITY else value,
            )
        token = str(answer.get("next_page_token") or "")
        if not token:
            return

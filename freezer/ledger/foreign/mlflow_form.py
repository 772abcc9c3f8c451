"""Converts a run to what MLflow can store; what it cannot store is listed. Pure."""

from __future__ import annotations

import math
import posixpath
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from freezer.ledger.exchange.table import exact
from freezer.ledger.foreign.mlflow_api import spelled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from freezer.ledger.series import Points
    from freezer.model.record.run import Run, Value

PARAM: Final = 6000
TAG: Final = 5000
"""Characters that every MLflow store keeps."""
NAME: Final = 250
ID_TAG: Final = "freezer.id"
ARTIFACT: Final = "freezer-run.json"
_FOREIGN: Final = re.compile(r"[^\w\-. :/]", re.ASCII)
_STATES: Final = {"finished": "FINISHED", "failed": "FAILED", "interrupted": "KILLED"}


@dataclass
class MlflowForm:
    """A run as the tracking server takes it."""

    name: str
    status: str
    started: int
    """Milliseconds since 1970."""
    ended: int | None
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    series: dict[str, Points] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    """What MLflow cannot store unchanged."""

    def metrics(self) -> Iterator[dict[str, Any]]:
        """Yield every point as the API takes it."""
        for name, points in self.series.items():
            for step, time, value in zip(points.steps, points.times, points.values, strict=True):
                yield {
                    "key": name,
                    "value": spelled(value),
                    "timestamp": time // 1000,
                    "step": step,
                }


def mlflow_form(run: Run, series: Mapping[str, Points]) -> MlflowForm:
    """Return a run in MLflow's form, with a note for everything that it cannot store."""
    made = MlflowForm(
        name=run.id[:8],
        status=_STATES[run.state],
        started=run.started.micros // 1000,
        ended=None if run.ended is None else run.ended.micros // 1000,
    )
    made.tags |= {ID_TAG: run.id, "freezer.environment": run.environment}
    for name, value in run.fields.items():
        _add(made, name, value, series)
    for name, text in run.tags.items():
        _tag(made, name, text)
    for name, text in run.links.items():
        _tag(made, f"freezer.links.{name}", text)
    _tag(made, "freezer.command", " ".join(run.command))
    for name, points in series.items():
        _series(made, name.removeprefix("metrics."), points)
    kinds = {
        type(value).__name__ for name, value in run.fields.items() if name.startswith("params.")
    }
    if kinds - {"str"}:
        made.notes.append("parameters are text in MLflow")
    return made


def _add(made: MlflowForm, name: str, value: Value, series: Mapping[str, Points]) -> None:
    kind, _, rest = name.partition(".")
    if kind == "params" and rest:
        _param(made, rest, exact(value))
    elif name in series:
        return  # its last value is in the series
    elif kind == "metrics" and rest and isinstance(value, int | float):
        from freezer.ledger.series import Points

        _series(made, rest, Points.of([(0, made.started * 1000, float(value))]))
    else:
        _tag(made, f"freezer.{name}", exact(value))


def _param(made: MlflowForm, name: str, text: str) -> None:
    if len(text) > PARAM:
        made.notes.append(f"params.{name} is truncated: it has {len(text)} characters")
    made.params[_free(made, name, made.params)] = text[:PARAM]


def _tag(made: MlflowForm, name: str, text: str) -> None:
    if len(text) > TAG:
        made.notes.append(f"the tag {name} is truncated: it has {len(text)} characters")
    made.tags[_free(made, name, made.tags)] = text[:TAG]


def _series(made: MlflowForm, name: str, points: Points) -> None:
    endless = sum(math.isinf(value) for value in points.values)
    if endless:
        made.notes.append(f"metrics.{name}: {endless} infinite values, which SQL stores lose")
    made.series[_free(made, name, made.series)] = points


def _free(made: MlflowForm, name: str, taken: Mapping[str, object]) -> str:
    """Return a valid name for MLflow that is not in use."""
    found = _FOREIGN.sub("_", name)[:NAME]
    if posixpath.normpath(found) != found or found[0] in "./":
        found = found.replace("/", "_").lstrip(".") or "_"
    base, number = found, 2
    while found in taken:
        found, number = f"{base[: NAME - 8]}_{number}", number + 1
    if found != name:
        made.notes.append(f"{ascii(name)[1:-1][:100]} is named {found[:100]}")
    return found

"""Sends a run to a tracking server: whole, or not at all."""

from __future__ import annotations

import zlib
from base64 import b64encode
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeVar

from freezer.errors import LedgerError
from freezer.ledger.exchange.document import export_parts
from freezer.ledger.foreign.mlflow_api import MissingError, objects
from freezer.ledger.foreign.mlflow_form import ARTIFACT, ID_TAG, TAG, mlflow_form

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from freezer.ledger.foreign.mlflow_api import Api
    from freezer.ledger.foreign.mlflow_form import MlflowForm
    from freezer.ledger.series import Points
    from freezer.model.record.run import Run

_T = TypeVar("_T")
_PROXY: Final = "mlflow-artifacts:/"
_PARTS: Final = 60
"""Maximum tags that hold a run if the server stores no artifacts."""


def experiment_id(api: Api, name: str) -> str:
    """Return an experiment's ID; create it if there is none. Raises ``LedgerError``."""
    with suppress(MissingError):
        found = api.get("experiments/get-by-name", {"experiment_name": name})
        return str(found.get("experiment", {}).get("experiment_id"))
    return str(api.post("experiments/create", {"name": name}).get("experiment_id"))


def is_there(api: Api, experiment: str, run: Run) -> bool:
    """Return whether an earlier export has sent this run."""
    asked = {
        "experiment_ids": [experiment],
        "filter": f"tags.`{ID_TAG}` = '{run.id}'",
        "max_results": 1,
    }
    return bool(objects(api.post("runs/search", asked).get("runs")))


def send_run(api: Api, experiment: str, run: Run, series: Mapping[str, Points]) -> list[str]:
    """Send a run; return what MLflow cannot store, all of which is in the run's artifact.

    A run that cannot be sent whole is deleted on the server. Raises ``LedgerError``.
    """
    made = mlflow_form(run, series)
    body = {"experiment_id": experiment, "run_name": made.name, "start_time": made.started}
    info = api.post("runs/create", body).get("run", {}).get("info", {})
    identifier = str(info.get("run_id", ""))
    try:
        _log(api, identifier, made)
        kept = _keep_whole(api, identifier, str(info.get("artifact_uri", "")), run, series)
        notes = [*made.notes, *([] if kept else ["the server stores no artifact of this size"])]
        if notes:
            place = kept or "no other place"
            text = f"MLflow cannot store all of run {run.id}; what it lacks is in {place}:\n- "
            _tags(api, identifier, {"mlflow.note.content": (text + "\n- ".join(notes))[:TAG]})
        last = {"run_id": identifier, "status": made.status}
        api.post("runs/update", {**last, **({"end_time": made.ended} if made.ended else {})})
    except BaseException:
        with suppress(LedgerError):
            api.post("runs/delete", {"run_id": identifier})
        raise
    return notes


def _log(api: Api, identifier: str, made: MlflowForm) -> None:
    _tags(api, identifier, made.tags)
    for some in _batches(made.params.items(), 100):
        _batch(api, identifier, "params", [{"key": name, "value": text} for name, text in some])
    for points in _batches(made.metrics(), 1000):
        _batch(api, identifier, "metrics", points)


def _tags(api: Api, identifier: str, tags: Mapping[str, str]) -> None:
    for some in _batches(tags.items(), 100):
        _batch(api, identifier, "tags", [{"key": name, "value": text} for name, text in some])


def _batch(api: Api, identifier: str, part: str, values: list[dict[str, Any]]) -> None:
    api.post("runs/log-batch", {"run_id": identifier, part: values})


def _keep_whole(
    api: Api, identifier: str, artifacts: str, run: Run, series: Mapping[str, Points]
) -> str:
    """Store the whole run as an artifact, else in tags; return where, empty for neither."""
    if artifacts.startswith(_PROXY):
        place = artifacts.removeprefix(_PROXY).lstrip("/")
        with suppress(LedgerError):  # a server without a store of artifacts
            api.put_artifact(f"{place}/{ARTIFACT}", b"".join(export_parts([(run, series)], ())))
            return f"the artifact {ARTIFACT}"
    data = zlib.compress(b"".join(export_parts([(run, series)], ())), 9)
    text = b64encode(data).decode()
    parts = [text[start : start + TAG] for start in range(0, len(text), TAG)]
    if len(parts) > _PARTS:
        return ""
    _tags(api, identifier, {f"freezer.run.{n:02}": one for n, one in enumerate(parts, 1)})
    return "the tags freezer.run.NN (deflated JSON in Base64)"


def _batches(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    rest = iter(items)
    while some := list(islice(rest, size)):
        yield some

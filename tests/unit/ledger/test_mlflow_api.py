"""What is sent to a tracking server, and servers that answer anything: bounded, never a traceback."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freezer.errors import FreezerError, LedgerError, LedgerGoneError
from freezer.ledger.foreign import mlflow_api
from freezer.ledger.foreign.found import Budget
from freezer.ledger.foreign.mlflow_api import Api, number, spelled, whole
from freezer.ledger.foreign.mlflow_form import NAME, PARAM, TAG, mlflow_form
from freezer.ledger.foreign.mlflow_send import send_run
from freezer.ledger.foreign.mlflow_server import server_runs
from freezer.ledger.series import Points
from freezer.model.record.run import Digest, Run, Time
from tests.support.host.answering import answering

RUN = Run("a" * 16, "demo", "finished", Time(1_000_000), fields={"params.lr": 0.1})


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["experiments", "runs", "info", "data", "metrics", "run_id", "key", "value",
                         "step", "timestamp", "params", "tags", "status", "start_time", "name"]),
        inner, max_size=5,
    ),
    max_leaves=25,
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(JUNK, JUNK)
def test_any_answer_is_read_or_refused(first: Any, second: Any) -> None:
    documents = [{"experiments": [{"experiment_id": "1", "name": "x"}]}, {"runs": [first]}, second]
    with answering(lambda _, count: documents[min(count, 3) - 1]) as (url, _):
        try:
            for run in server_runs(Api(url), Budget()):
                assert isinstance(run.params, dict)
        except FreezerError:
            return


@pytest.mark.parametrize(
    ("answer", "status", "says"),
    [
        (b"<html>", 200, "not an MLflow tracking server"),
        (b"[]", 200, "not an MLflow tracking server"),
        (b"[" * 100_000, 200, "not an MLflow tracking server"),
        ({"message": "no such https://me:planted@x/ \x1b[31m"}, 404, "HTTP 404"),
        (b"oops", 500, "HTTP 500"),
        ({}, 401, "MLFLOW_TRACKING_TOKEN"),
    ],
)
def test_answers_that_are_none(answer: Any, status: int, says: str) -> None:
    with answering(answer, status) as (url, _), pytest.raises(LedgerError) as caught:
        list(server_runs(Api(url), Budget()))
    assert says in str(caught.value)
    assert "planted" not in str(caught.value)


def test_an_answer_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mlflow_api, "LARGEST", 1000)
    with (
        answering({"x": "y" * 2000}) as (url, _),
        pytest.raises(LedgerError, match="more than 1000"),
    ):
        list(server_runs(Api(url), Budget()))


def test_pages_without_end_stop() -> None:
    with answering({"experiments": [], "next_page_token": "same"}) as (url, asked):
        assert list(server_runs(Api(url), Budget())) == []
    assert len(asked) == 2


def test_a_server_that_is_gone() -> None:
    with pytest.raises(LedgerGoneError, match="cannot be reached"):
        Api("http://127.0.0.1:9").post("experiments/search", {})


def test_a_token_is_sent_and_never_displayed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "planted")
    with answering({}, 403) as (url, asked), pytest.raises(LedgerError) as caught:
        Api(url).post("runs/search", {})
    assert asked[0][1]["Authorization"] == "Bearer planted"
    assert "planted" not in str(caught.value)


def test_a_run_that_is_refused_half_way_is_deleted() -> None:
    info = {"run": {"info": {"run_id": "r" * 32, "artifact_uri": "s3://x"}}}

    def answer(path: str, _: int) -> Any:
        return info if path.endswith("create") else (400 if "log-batch" in path else 200, {})

    with answering(answer) as (url, asked), pytest.raises(LedgerError, match="log-batch"):
        send_run(Api(url), "1", RUN, {})
    assert asked[-1][0].endswith("runs/delete")
    assert json.loads(asked[-1][1]["body"]) == {"run_id": "r" * 32}


def test_a_server_without_artifacts_keeps_the_run_in_tags() -> None:
    info = {"run": {"info": {"run_id": "r" * 32, "artifact_uri": "s3://x"}}}
    with answering(lambda path, _: info if path.endswith("create") else {}) as (url, asked):
        notes = send_run(Api(url), "1", RUN, {})
    assert notes == ["parameters are text in MLflow"]
    tags = [
        tag
        for path, one in asked
        if path.endswith("log-batch")
        for tag in json.loads(one["body"]).get("tags", [])
    ]
    assert any(tag["key"] == "freezer.run.01" for tag in tags)


NAMES = st.text(min_size=1, max_size=300).filter(str.isprintable)


@settings(deadline=None)
@given(
    st.dictionaries(NAMES, st.text(max_size=20) | st.floats() | st.integers(), max_size=8),
    st.dictionaries(NAMES, st.text(max_size=20), max_size=4),
)
def test_every_name_is_one_that_mlflow_takes(fields: dict[str, Any], tags: dict[str, str]) -> None:
    import posixpath
    import re

    run = Run(
        "a" * 16, "demo", "finished", Time(0), tags=tags,
        fields={f"{kind}.{name}": value for name, value in fields.items() for kind in ("params", "x")},
    )  # fmt: skip
    made = mlflow_form(run, {})
    assert len(made.params) == len(fields)
    for name in (*made.params, *made.tags):
        assert re.fullmatch(r"[A-Za-z0-9_\-. :/]{1,250}", name)
        assert posixpath.normpath(name) == name
        assert not name.startswith(("/", "."))


def test_what_mlflow_cannot_hold_is_noted() -> None:
    fields = {
        "params.long": "x" * (PARAM + 1),
        "params.n": 2,
        "lock": Digest("ab" * 32),
        "t": "y" * 9999,
    }
    series = {"metrics.loss": Points.of([(0, 0, math.inf), (1, 1, 0.5)])}
    made = mlflow_form(Run("a" * 16, "demo", "failed", Time(0), fields=fields), series)
    assert (made.status, len(made.params["long"]), len(made.tags["freezer.t"])) == (
        "FAILED",
        PARAM,
        TAG,
    )
    assert made.notes == [
        f"params.long is truncated: it has {PARAM + 1} characters",
        "the tag freezer.t is truncated: it has 9999 characters",
        "metrics.loss: 1 infinite values, which SQL stores lose",
        "parameters are text in MLflow",
    ]
    assert [one["value"] for one in made.metrics()] == ["Infinity", 0.5]
    assert NAME == 250


@given(st.floats())
def test_doubles_come_back(value: float) -> None:
    assert repr(number(json.loads(json.dumps(spelled(value))))) == repr(value)


@pytest.mark.parametrize("found", [True, "x", "1" * 30, [], {}, 1 << 63, 1.5])
def test_what_is_no_whole_number(found: Any) -> None:
    assert whole(found) is None

"""Runs from and to the real MLflow: its stores, and a tracking server on the loopback interface."""

from __future__ import annotations

import io
import json
import math
import struct
import urllib.request
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from freezer.cli.main import run as freeze
from freezer.ledger.connect import open_ledger
from freezer.ledger.exchange.document import read_export
from freezer.ledger.query import all_points, find
from freezer.ledger.record import record
from freezer.ledger.series import Points, packed
from freezer.model.record.run import Digest, Run, Time, run_bytes
from tests.support.host.tools import MLFLOW, VALUES, mlflow_server, written

pytestmark = [pytest.mark.index, pytest.mark.timeout(900)]
LONG = "y" * 7000
ODD = struct.unpack("<d", bytes.fromhex("010000000000f8ff"))[0]
SERIES = Points.of([(s, 1793491200_000123 + s, v) for s, v in enumerate([*VALUES, ODD] * 300)])
RUN = Run(
    "c" * 16,
    "digits",
    "failed",
    Time(1793491200_123456),
    ("python", "train.py"),
    ended=Time(1793491201_654321),
    exit_code=3,
    fields={
        "params.lr": 0.1,
        "params.flag": True,
        "params.long": LONG,
        "params.näme (2)": 2**70,
        "params.../x": "odd",
        "metrics.loss": ODD,
        "metrics.alone": 0.25,
        "lock": Digest("8e" * 32),
        "seed": 7,
        "text": "z" * 6000,
    },
    tags={"team": "blue"},
    notes=("seen",),
    links={"resumes": "d" * 16},
)


@pytest.fixture(scope="module")
def server(tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with mlflow_server(tools, tmp_path_factory.mktemp("server")) as address:
        yield address


def called(folder: Path, *words: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = freeze(["-C", str(folder), "runs", *words])
    return code, out.getvalue(), err.getvalue()


def imported(folder: Path) -> tuple[Run, dict[str, Points]]:
    ledger = open_ledger(folder / ".freezer" / "ledger.db")
    [run] = find(ledger, "params.optimizer = 'adam'")
    points = all_points(ledger, run.id)
    ledger.close()
    return run, points


def require_taken_over(run: Run, points: dict[str, Points], *, sign: bool) -> None:
    assert (run.environment, run.state) == ("mlflow", "finished")
    assert run.fields["params.lr"] == 0.01
    assert run.fields["params.flag"] is True
    assert run.fields["params.HF_TOKEN"] == "***"
    assert run.fields["mlflow.experiment"] == "digits"
    assert run.tags["team"] == "blue"
    assert "planted" not in run_bytes(run).decode()
    values = VALUES if sign else [value + 0.0 for value in VALUES]
    assert [repr(one) for one in points["metrics.loss"].values] == [repr(one) for one in values]
    assert len(points["metrics.val/acc"]) == 200
    assert points["metrics.loss"].times[1] == 1793491200001 * 1000


@pytest.mark.parametrize("store", ["files", "sqlite", "folder", "file"])
def test_stores_are_taken_over(tools: Path, tmp_path: Path, store: str) -> None:
    files = store in ("files", "folder")
    uri = f"file://{tmp_path}/mlruns" if files else f"sqlite:///{tmp_path}/mlflow.db"
    written(tools, MLFLOW, uri)
    source = {"folder": f"{tmp_path}/mlruns", "file": f"{tmp_path}/mlflow.db"}.get(store, uri)
    project = tmp_path / "project"
    project.mkdir()
    code, out, err = called(project, "import", "--mlflow", source)
    assert (code, out, err) == (0, "1 run recorded\n", "")
    require_taken_over(*imported(project), sign=files)
    assert called(project, "import", "--mlflow", source)[1].startswith("0 runs recorded; 1 skipped")


def test_a_server_is_taken_over(tools: Path, tmp_path: Path, server: str) -> None:
    written(tools, MLFLOW, server)
    code, out, err = called(tmp_path, "import", "--mlflow", server)
    assert (code, err) == (0, "")
    assert out.startswith("1 run recorded")
    require_taken_over(*imported(tmp_path), sign=False)


def asked(server: str, path: str, **body: Any) -> dict[str, Any]:
    data = json.dumps(body).encode()
    request = urllib.request.Request(
        f"{server}/api/2.0/mlflow/{path}", data, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def test_runs_are_handed_to_a_server(tmp_path: Path, server: str) -> None:
    ledger = open_ledger(tmp_path / ".freezer" / "ledger.db")
    record(ledger, RUN, {"metrics.loss": SERIES})
    record(ledger, Run("e" * 16, "digits", "running", Time(1)))
    ledger.close()
    words = ("export", "--mlflow", server, "--experiment", "it's ours")
    code, out, err = called(tmp_path, *words, "--json")
    assert code == 0, err
    done = json.loads(out)
    assert done["sent"] == [RUN.id]
    notes = "\n".join(done["notes"])
    for note in (
        "params.long is truncated: it has 7000 characters",
        "metrics.loss: 600 infinite values",
        "parameters are text",
        "is named",
        f"{'e' * 16}: left out: it is still running",
        "the tag freezer.text is truncated",
    ):
        assert note in notes
    [experiment] = [
        one
        for one in asked(server, "experiments/search", max_results=100)["experiments"]
        if one["name"] == "it's ours"
    ]
    number = experiment["experiment_id"]
    [run] = asked(server, "runs/search", experiment_ids=[number])["runs"]
    info, data = run["info"], run["data"]
    assert (info["status"], info["start_time"], info["end_time"]) == (
        "FAILED",
        1793491200123,
        1793491201654,
    )
    params = {one["key"]: one["value"] for one in data["params"]}
    assert params["long"] == LONG[:6000]
    assert params["lr"] == "0.1"
    assert str(2**70) in params.values()
    assert len(params) == 5
    tags = {one["key"]: one["value"] for one in data["tags"]}
    assert tags["freezer.id"] == RUN.id
    assert tags["freezer.lock"] == "8e" * 32
    assert tags["team"] == "blue"
    assert "params.long is truncated" in tags["mlflow.note.content"]
    metrics = {one["key"]: one["value"] for one in data["metrics"]}
    assert metrics["alone"] == 0.25
    place = info["artifact_uri"].removeprefix("mlflow-artifacts:/")
    url = f"{server}/api/2.0/mlflow-artifacts/artifacts/{place}/freezer-run.json"
    with urllib.request.urlopen(url) as answer:
        [(whole, series)] = read_export(answer.read()).runs
    assert run_bytes(whole) == run_bytes(RUN)
    assert packed(series["metrics.loss"]) == packed(SERIES), "bit for bit, NaN and infinity too"
    code, out, _ = called(tmp_path, *words)
    assert out.startswith("0 runs sent; 1 skipped: already recorded")
    other = tmp_path / "other"
    other.mkdir()
    assert called(other, "import", "--mlflow", server)[0] == 0
    back = open_ledger(other / ".freezer" / "ledger.db")
    [run] = find(back, f"tags.freezer.id = '{RUN.id}'")
    points = all_points(back, run.id)["metrics.loss"]
    back.close()
    expected = [value + 0.0 for value in SERIES.values]
    assert sorted(map(repr, points.values)) == sorted(map(repr, expected))
    assert math.isinf(max(points.values))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("import", "--mlflow", "http://127.0.0.1:9"), "cannot be reached"),
        (
            ("import", "--mlflow", "postgresql://me:planted@example.org/x"),
            "cannot be read directly",
        ),
        (("import", "--mlflow", "/no/such/folder"), "no such file or folder"),
        (("import", "--mlflow", "."), "no runs of MLflow"),
        (("import",), "one source"),
        (("export", "--mlflow", "sqlite:///x.db"), "a tracking server"),
        (("export", "--mlflow", "http://127.0.0.1:9", "-o", "x"), "one destination"),
    ],
)
def test_what_is_no_store_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = called(tmp_path, *words)
    assert code == 2
    assert says in " ".join(err.split())
    assert "Traceback" not in out + err
    assert "planted" not in err


def test_a_server_that_refuses_leaves_nothing_half(tmp_path: Path, server: str) -> None:
    ledger = open_ledger(tmp_path / ".freezer" / "ledger.db")
    late = Points.of([(0, -(1 << 62), 1.0)])  # no server takes such a time
    record(ledger, RUN, {"metrics.loss": late})
    ledger.close()
    code, _, err = called(tmp_path, "export", "--mlflow", server, "--experiment", "half")
    found = asked(server, "experiments/search", max_results=100)["experiments"]
    [number] = [one["experiment_id"] for one in found if one["name"] == "half"]
    runs = asked(server, "runs/search", experiment_ids=[number]).get("runs", [])
    if code:
        assert "refused" in err
        assert runs == []
    else:
        assert len(runs) == 1

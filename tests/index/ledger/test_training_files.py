"""What trainings record with the real MLflow and TensorBoard is read after the run."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from freezer.flows.runs.results.outputs import output_sizes
from freezer.flows.runs.results.training_files import TrainingFiles, training_files
from tests.support.host.tools import MLFLOW, VALUES, written

pytestmark = [pytest.mark.index, pytest.mark.timeout(900)]
TENSORBOARDX = f"""
import math, sys
from tensorboardX import SummaryWriter
nan, inf = math.nan, math.inf
writer = SummaryWriter(sys.argv[1] + "/train")
for step, value in enumerate({VALUES!r}):
    writer.add_scalar("loss", value, step, walltime=1793491200 + step)
writer.add_text("note", "words")
writer.add_histogram("weights", __import__("numpy").arange(10.0), 0)
writer.close()
with SummaryWriter(sys.argv[1] + "/validation") as writer:
    writer.add_scalar("loss", 0.25, 3)
with SummaryWriter(sys.argv[1]) as writer:
    writer.add_hparams({{"lr": 0.01, "layers": 3, "optimizer": "adam", "nesterov": True}},
                       {{"accuracy": 0.75}}, name="1793491200.5")
"""
TENSORBOARD = """
import sys
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.plugins.scalar import summary_v2
from tensorboard.summary.writer.event_file_writer import EventFileWriter
writer = EventFileWriter(sys.argv[1])
for step in range(3):
    made = summary_v2.scalar_pb("new", step / 3)
    writer.add_event(Event(wall_time=1793491200.5, step=step, summary=made))
writer.close()
"""


def read(folder: Path) -> TrainingFiles:
    return training_files(folder, output_sizes(folder))


def bits(values: list[float]) -> list[bytes]:
    return [struct.pack("<d", value) for value in values]


@pytest.mark.parametrize("store", ["files", "sqlite"])
def test_mlflow(tools: Path, tmp_path: Path, store: str) -> None:
    uri = f"file://{tmp_path}/mlruns" if store == "files" else f"sqlite:///{tmp_path}/mlflow.db"
    written(tools, MLFLOW, uri)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    found = read(tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
    assert found.notes == ()
    params = {name: value for name, value in found.fields.items() if name.startswith("params.")}
    assert params == {
        "params.lr": 0.01,
        "params.optimizer": "adam",
        "params.deep/name": 1,
        "params.flag": True,
        "params.HF_TOKEN": "***",
        "params.text": "x" * 5000,
    }
    loss = found.metrics["metrics.loss"]
    kept = VALUES if store == "files" else [value + 0.0 for value in VALUES]
    assert bits([*loss.values]) == bits(kept), "SQLite itself keeps no sign of zero"
    assert [*loss.steps] == [*range(len(VALUES))]
    assert loss.times[1] == 1793491200001 * 1000
    assert found.fields["metrics.loss"] == 0.1
    assert [*found.metrics["metrics.val/acc"].values] == [step / 7 for step in range(200)]
    assert found.tags["team"] == "blue"
    assert "planted" not in json.dumps([*map(str, found.tags.values()), str(params)])
    assert "mlflow.user" not in found.tags


def test_nested_runs_of_mlflow(tools: Path, tmp_path: Path) -> None:
    written(tools, MLFLOW, f"sqlite:///{tmp_path}/store.db", "children")
    found = read(tmp_path)
    assert found.fields["params.lr"] == 0.01
    assert {found.fields["params.run1/lr"], found.fields["params.run2/lr"]} == {0, 1}


def test_tensorboardx(tools: Path, tmp_path: Path) -> None:
    written(tools, TENSORBOARDX, str(tmp_path))
    found = read(tmp_path)
    assert found.notes == ()
    loss = found.metrics["metrics.train/loss"]
    singles = [struct.unpack("<f", struct.pack("<f", value))[0] for value in VALUES]
    assert [repr(one) for one in loss.values] == [repr(one) for one in singles]
    assert [*loss.steps] == [*range(len(VALUES))]
    assert loss.times[2] == 1793491202 * 1_000_000
    assert [*found.metrics["metrics.validation/loss"].values] == [0.25]
    assert found.fields["metrics.accuracy"] == 0.75
    assert {name: value for name, value in found.fields.items() if "params" in name} == {
        "params.lr": 0.01,
        "params.layers": 3,
        "params.optimizer": "adam",
        "params.nesterov": True,
    }


def test_tensorboard(tools: Path, tmp_path: Path) -> None:
    written(tools, TENSORBOARD, str(tmp_path / "logs"))
    found = read(tmp_path)
    assert found.notes == ()
    values = found.metrics["metrics.new"].values
    assert [*values] == [struct.unpack("<f", struct.pack("<f", s / 3))[0] for s in range(3)]

"""Outputs that contain a secret of the command are named, and reach no export."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from freezer.flows.runs.results.secret_outputs import FIELD, exportable, with_secret_outputs
from freezer.flows.runs.transfer.crate import export_crate
from freezer.ledger.exchange.crate_entities import About
from freezer.model.events import SilentReporter
from freezer.model.record.run import Output, Run, Time

SECRET = "sesame42"


def recorded(folder: Path, secrets: tuple[str, ...], **files: bytes) -> Run:
    for name, data in files.items():
        (folder / name).write_bytes(data)
    outputs = tuple(Output(name, len(data), "0" * 64) for name, data in files.items())
    run = Run("a" * 16, "demo", "finished", Time(1), outputs=outputs)
    return with_secret_outputs(run, folder, secrets, SilentReporter())


@pytest.mark.parametrize("before", [0, 1, (1 << 20) - 4, (1 << 20) - 1, 1 << 20])
def test_a_secret_is_found_wherever_it_is(tmp_path: Path, before: int) -> None:
    run = recorded(tmp_path, (SECRET,), bad=b"x" * before + SECRET.encode() + b"y", good=b"good")
    assert json.loads(str(run.fields[FIELD])) == ["bad"]
    assert [one.path for one in exportable(run)] == ["good"]


def test_without_secrets_nothing_is_read_or_left_out(tmp_path: Path) -> None:
    for secrets in ((), ("abc",)):
        run = recorded(tmp_path, secrets, abc=b"abc")
        assert FIELD not in run.fields
        assert exportable(run) == run.outputs


def test_what_cannot_be_read_or_listed_is_not_exported(tmp_path: Path) -> None:
    gone = Run("a" * 16, "demo", "finished", Time(1), outputs=(Output("gone", 1, "0" * 64),))
    run = with_secret_outputs(gone, tmp_path, (SECRET,), SilentReporter())
    assert exportable(run) == ()
    for value in ('["..."]', "no JSON", "3"):
        assert exportable(gone.with_fields({FIELD: value})) == ()


@pytest.mark.process
def test_a_crate_does_not_have_a_secret_of_the_command(runnable, tmp_path: Path) -> None:
    def training(inside) -> int:
        output = inside.folder("/output")
        (output / "config.json").write_text(json.dumps({"token": inside.command[-1]}))
        (output / "model").write_text("model")
        return 0

    runnable.train(training)
    done = runnable.run("t", "{token}", params={"token": SECRET})
    assert done.run.fields[FIELD] == '["config.json"]'
    count = export_crate(
        runnable.project, f"id = '{done.run.id}'", tmp_path / "crate", About(None, None)
    )
    assert count == 1
    files = [one for one in (tmp_path / "crate").rglob("*") if one.is_file()]
    assert "model" in {one.name for one in files}
    assert all(SECRET.encode() not in one.read_bytes() for one in files)

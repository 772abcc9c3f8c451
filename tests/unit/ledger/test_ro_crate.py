"""Crates of runs: the same bytes each time, only files as they were recorded, whole or not at all."""

from __future__ import annotations

import hashlib
import io
import json
import math
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from freezer.cli.main import run as freeze
from freezer.ledger.connect import open_ledger
from freezer.ledger.exchange.crate_entities import About, CrateRun
from freezer.ledger.exchange.document import read_export
from freezer.ledger.exchange.prov import provenance
from freezer.ledger.exchange.ro_crate import crate_metadata
from freezer.ledger.record import record
from freezer.model.record.run import Digest, Output, Run, Time, run_bytes

MODEL = b"a model"


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def made(number: int = 1, *outputs: Output) -> Run:
    fields = {"params.lr": math.nan, "lock": Digest("8e" * 32), "git.patch": Digest(sha(b"p"))}
    ended = Time(2_000_000)
    return Run(
        f"{number:016x}", "demo", "finished", Time(1_500_000), ("python",), ended,
        fields=fields, outputs=outputs,
    )  # fmt: skip


def called(folder: Path, *words: str) -> tuple[int, str]:
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(out):
        code = freeze(["-C", str(folder), "runs", "export", *words])
    return code, out.getvalue()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    names = ("good.bin", "changed.bin", "link.bin", "gone.bin", "../escape.bin")
    run = made(1, *(Output(name, len(MODEL), sha(MODEL)) for name in names))
    ledger = open_ledger(folder / ".freezer" / "ledger.db")
    record(ledger, run, {}, [b"p"])
    ledger.close()
    output = folder / ".freezer" / "runs" / run.id / "output"
    output.mkdir(parents=True)
    (output / "good.bin").write_bytes(MODEL)
    (output / "changed.bin").write_bytes(b"another")
    (output.parent / "escape.bin").write_bytes(MODEL)
    (output / "link.bin").symlink_to(output / "good.bin")
    return folder


def test_only_outputs_as_recorded_are_in_it(project: Path, tmp_path: Path) -> None:
    crate = tmp_path / "crate"
    assert called(project, "--ro-crate", str(crate))[0] == 0
    files = sorted(str(path.relative_to(crate)) for path in crate.rglob("*") if path.is_file())
    run = "0" * 15 + "1"
    assert files == [
        f"{run}/code.patch", f"{run}/output/good.bin", f"{run}/run.json", "provenance.jsonld",
        "ro-crate-metadata.json",
    ]  # fmt: skip
    graph = json.loads((crate / "ro-crate-metadata.json").read_bytes())["@graph"]
    entities = {one["@id"]: one for one in graph}
    assert entities[f"{run}/output/good.bin"]["@type"] == "File"
    gone = [one for one in graph if one.get("name") in ("changed.bin", "gone.bin", "link.bin")]
    assert {one["@type"] for one in gone} == {"CreativeWork"}
    assert len(gone) == 3
    action = entities[f"#run-{run}"]
    assert (action["startTime"], action["endTime"]) == (
        "1970-01-01T00:00:01.500+00:00",
        "1970-01-01T00:00:02+00:00",
    )
    [(back, _)] = read_export((crate / run / "run.json").read_bytes()).runs
    assert back.id == run


def test_the_same_runs_are_the_same_bytes(project: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert called(project, "--ro-crate", str(tmp_path / name))[0] == 0
    first, second = (
        {
            path.relative_to(tmp_path / name): path.read_bytes()
            for path in (tmp_path / name).rglob("*")
            if path.is_file()
        }
        for name in ("one", "two")
    )
    assert first == second


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--ro-crate", "there"), "exists already"),
        (("params.lr = 5", "--ro-crate", "new"), "no run matches"),
        (("params.none = 5", "--ro-crate", "new"), "no run has a field"),
        (("--ro-crate", "new", "-o", "x"), "one destination"),
        (("--ro-crate", "no/such/new"), "no/such"),
    ],
)
def test_what_cannot_be_written_leaves_nothing(
    project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    code, said = called(project, *words)
    assert code == 2
    assert says in " ".join(said.split())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["project", "there"]


def test_content_that_several_runs_share_keeps_each_of_them() -> None:
    shared = Output("model.bin", 1, "ab" * 32)
    uses = made(3).with_fields({"data.model": Digest("ab" * 32)})
    runs = [CrateRun(one, {}, {}, "x") for one in (uses, made(1, shared), made(2, shared))]
    graph = json.loads(provenance(runs, About(), "1"))["@graph"]
    [entity] = [one for one in graph if one["@id"] == f"sha256:{'ab' * 32}"]
    assert entity["wasGeneratedBy"] == [f"run:{'0' * 15}1", f"run:{'0' * 15}2"]
    [activity] = [one for one in graph if one["@id"] == f"run:{'0' * 15}3"]
    assert f"sha256:{'ab' * 32}" in activity["used"]


def test_a_crate_has_no_time_but_the_runs() -> None:
    run = made()
    document = json.loads(crate_metadata([CrateRun(run, {}, {}, "x")], About(), "1"))
    root = next(one for one in document["@graph"] if one["@id"] == "./")
    assert root["datePublished"] == "1970-01-01T00:00:02+00:00"
    assert run_bytes(run)

"""`freeze run --json`: one document on stdout, whatever the training prints and however it ends."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from freezer.cli.image.running import documents
from freezer.cli.image.running.invocation import Invocation
from freezer.cli.main import run as freeze
from freezer.cli.session import Session
from freezer.errors import EXIT_USER
from freezer.flows.runs.processes.jobs import JobEnd
from freezer.flows.runs.request import RunRequest
from freezer.output.runs.made import detached_document

pytestmark = pytest.mark.process
REFERENCE = Path(__file__).parents[5] / "docs" / "reference" / "run-document.md"


@pytest.fixture
def command(runnable: Any, monkeypatch: pytest.MonkeyPatch, capfd: Any):
    monkeypatch.setattr(Session, "engine", lambda _: runnable.made.held)

    def called(*words: str) -> tuple[int, dict[str, Any], str]:
        code = freeze(["-C", str(runnable.project.root), "run", *words])
        out, err = capfd.readouterr()
        return code, json.loads(out), err

    return called


def training(inside: Any) -> int:
    inside.say(1, b"to stdout\n")
    inside.say(2, b"to stderr\n")
    (inside.folder("/output") / "x").write_text("1")
    return int(inside.environment.get("FREEZER_PARAM_CODE", "0"))


def described() -> set[str]:
    """Return the keys that the reference describes."""
    return set(re.findall(r"^\| `([a-z0-9-]+)`", REFERENCE.read_text(), re.MULTILINE))


def test_a_run_is_one_document(runnable: Any, command: Any) -> None:
    runnable.train(training)
    code, found, err = command("--json", "-p", "code=3", "--", "train")
    assert (code, found["state"], found["exit-code"], found["status"]) == (3, "failed", 3, 3)
    assert "to stdout\nto stderr\n" in err
    assert [one["path"] for one in found["outputs"]] == ["x"]
    assert (Path(found["output"]) / "x").read_text() == "1"
    ledger = runnable.project.root / ".freezer" / "ledger.db"
    assert (found["recorded"], found["record"]) == (True, str(ledger))
    assert found.keys() <= described()


def test_expectations_are_in_the_document(runnable: Any, command: Any) -> None:
    runnable.train(training)
    runnable.made.spec(expect={"loss": {"finite": True}, "acc": {"floor": 0.5, "optional": True}})
    try:
        code, found, _ = command("--json", "--", "train")
    finally:
        runnable.made.spec(expect={})
    assert (code, found["status"], found["exit-code"]) == (1, 1, 0)
    assert [(one["name"], one["state"]) for one in found["expectations"]] == [
        ("acc", "skipped"),
        ("loss", "failed"),
    ]


def test_a_sweep_is_one_document_with_each_run(runnable: Any, command: Any) -> None:
    runnable.train(training)
    code, found, _ = command("--json", "--each", "code=0,4", "--", "train")
    assert (code, found["status"], found["total"]) == (4, 4, 2)
    assert [one["exit-code"] for one in found["runs"]] == [0, 4]
    assert {one["links"]["sweep"] for one in found["runs"]} == {found["sweep"]}
    assert found.keys() <= described()


def test_a_sweep_that_cannot_go_on_has_the_runs_before_and_the_error(
    runnable: Any, command: Any, tmp_path: Path
) -> None:
    def then_no_data(inside: Any) -> int:
        (tmp_path / "out" / "2").mkdir()
        return training(inside)

    runnable.train(then_no_data)
    code, found, err = command(
        "--json", "--each", "k=1,2,3", "-o", str(tmp_path / "out"), "--", "train"
    )
    assert (code, found["status"], found["total"]) == (EXIT_USER, EXIT_USER, 3)
    first, second = found["runs"]
    assert first["state"] == "finished"
    assert (second["id"], second["state"], second["error"]["error"]) == (None, "not made", "run")
    assert "exists already" in err
    assert second.keys() <= described()


def test_what_cannot_begin_is_one_error_document(command: Any) -> None:
    code, found, _ = command("--json", "--data", "none", "--", "train")
    assert (code, found["error"]) == (EXIT_USER, "data")
    code, found, _ = command("--json", "--jobs", "2", "--", "train", "--json")
    assert found["message"] == "--jobs is for a sweep"


def test_documents_of_processes_are_joined(capsys: Any) -> None:
    todo = Invocation(
        env=None,
        request=RunRequest(("train",)),
        values={"k": ["1", "2", "3"]},
        json=True,
        sweep="sweep-a",
    )
    with documents.documents_of_children(todo) as children:
        options = [children.options(number) for number in range(3)]
        Path(options[0][1]).write_text('{"id": "a"}')
        Path(options[1][1]).write_text('{"id"')  # its process was killed
        children.hand_out(todo, [JobEnd("a", 0), JobEnd("b", 137)], 137)
    assert not Path(options[0][1]).parent.exists()
    assert json.loads(capsys.readouterr().out) == {
        "sweep": "sweep-a",
        "status": 137,
        "total": 3,
        "runs": [
            {"id": "a"},
            {"id": "b", "state": "interrupted", "status": 137, "error": None},
        ],
    }


def test_a_detached_run_has_a_document() -> None:
    one = detached_document("a", Path("log"), None)
    assert one == {"id": "a", "state": "running", "log": "log"}
    several = detached_document("sweep-a", Path("log"), 3)
    assert several == {"sweep": "sweep-a", "state": "running", "total": 3, "log": "log"}
    assert one.keys() | several.keys() <= described()

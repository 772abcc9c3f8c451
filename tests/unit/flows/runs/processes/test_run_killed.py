"""A run whose process was killed: its container is ended, and what its training recorded is read."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import freezer
from freezer.cli.session import Session
from freezer.engine.run import process
from freezer.errors import EngineError
from freezer.fetch.config import Config
from freezer.flows.project.project import Project
from freezer.flows.runs import killed
from freezer.flows.runs.folders import journal_path, journals, journals_in
from freezer.flows.runs.ledger import settle_killed
from freezer.flows.runs.queries import find, get
from freezer.ledger.journal import Journal, reading_once
from freezer.ledger.left import any_left
from freezer.model.events import SilentReporter
from freezer.model.record.run import Run, Time

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(not process.place(), reason="there is no /proc here"),
]
STORE = "a" * 32
META = f"run_id: {STORE}\nstatus: 1\nstart_time: 1793491200000\nrun_name: x\n"
FILES = {
    "meta.yaml": META,
    "params/lr": "0.1",
    "params/note": "sesame42 is the word",
    "metrics/loss": "1 0.5 0\n2 0.25 1\n",
    "tags/team": "blue",
}


class Sweeper:
    """An engine that counts how often it is asked to remove containers of dead processes."""

    def __init__(self, then: Callable[[], None] = lambda: None) -> None:
        self.swept = 0
        self._then = then

    def remove_dead(self) -> None:
        self.swept += 1
        self._then()

    def close(self) -> None:
        """There is no connection."""


class Ear(SilentReporter):
    def __init__(self) -> None:
        self.heard: list[str] = []

    def note(self, text: str) -> None:
        self.heard.append(text)

    warn = note


@pytest.fixture(scope="module")
def dead() -> dict[str, Any]:
    """Return the name of a process that lives no more."""
    code = "from freezer.engine.run.process import this_process as p; print(p())"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    found: dict[str, Any] = eval(done.stdout)
    return found


def kill_one(project: Project, owner: dict[str, Any], **fields: Any) -> Run:
    """Leave the journal and the output of a run that was killed."""
    output = project.root / "output"
    for name, content in FILES.items():
        path = output / "mlruns" / "1" / STORE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    command = ("train", *fields.pop("words", ()))
    run = Run("ab" * 8, "demo", "running", Time(1), command, fields=fields)
    run = replace(run, owner={**owner, "output": str(output)})
    journals(project).mkdir(parents=True, exist_ok=True)
    journal = Journal(journal_path(project, run.id))
    journal.run(run)
    journal.close()
    return run


def opened(bare: Project, engine: Any, **config: Any) -> Project:
    return replace(bare, engine=lambda: engine, report=Ear(), config=Config(**config))


def test_what_a_killed_training_recorded_for_other_tools_is_read(bare_project, dead) -> None:
    more = bare_project.root / "output/mlruns/1" / STORE / "metrics" / "last"
    engine = Sweeper(lambda: more.write_text("3 0.125 2\n") and None)
    project = opened(bare_project, engine)
    run = kill_one(project, dead)
    found, series = get(project, run.id)
    assert engine.swept == 1
    assert (found.state, found.fields["params.lr"], found.tags) == (
        "interrupted",
        0.1,
        {"team": "blue"},
    )
    assert [*series["metrics.loss"].values] == [0.5, 0.25]
    assert found.fields["metrics.last"] == 0.125, "written before its container was ended"
    assert not journal_path(project, run.id).exists()
    find(project, None)
    assert engine.swept == 1, "nothing is left"


@pytest.mark.parametrize("given", [{"params.token": "***"}, {"words": ("--password", "***")}])
def test_of_a_run_with_secrets_only_numbers_are_read(bare_project, dead, given) -> None:
    project = opened(bare_project, Sweeper())
    run = kill_one(project, dead, **given)
    found, series = get(project, run.id)
    assert found.fields["params.lr"] == 0.1
    assert len(series["metrics.loss"]) == 2
    assert "sesame42" not in str(found)
    assert found.tags == {}
    assert any("got secrets" in one for one in project.report.heard)


def test_a_clock_that_was_set_back_makes_no_negative_duration(bare_project, dead) -> None:
    project = opened(bare_project, Sweeper())
    run = replace(kill_one(project, dead), started=Time(2**52))
    journal = Journal(journal_path(project, run.id))
    journal.run(run)
    journal.close()
    found, _ = get(project, run.id)
    assert (found.started, found.ended) == (run.started, run.started)


def test_a_command_that_is_killed_while_it_reads_does_not_stop_the_next(bare_project, dead) -> None:
    project = opened(bare_project, Sweeper())
    path = journal_path(project, kill_one(project, dead).id)
    before, moment = path.read_bytes(), path.stat().st_mtime_ns
    with reading_once(path):
        marked = path.read_bytes()
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (before, moment), "it ended well"
    path.write_bytes(marked)
    found, series = get(project, "latest")
    assert (found.state, "params.lr" in found.fields, series) == ("interrupted", False, {})
    assert any("is not read" in one for one in project.report.heard)


def test_what_cannot_be_recorded_yet_is_read_again(bare_project, dead, monkeypatch) -> None:
    project = opened(bare_project, Sweeper())
    run = kill_one(project, dead)
    monkeypatch.setattr("freezer.ledger.record.record", _full_disk)
    assert find(project, None).total == 0
    monkeypatch.undo()
    assert get(project, run.id)[0].fields["params.lr"] == 0.1


def _full_disk(*_: Any, **__: Any) -> None:
    raise OSError(28, "No space left on device")


def test_without_an_engine_the_run_is_recorded_nevertheless(bare_project, dead) -> None:
    def none() -> Any:
        raise EngineError("there is no engine")

    project = replace(bare_project, engine=none)
    kill_one(project, dead)
    assert get(project, "latest")[0].state == "interrupted"


def test_any_command_that_gets_an_engine_ends_and_records(bare_project, dead, monkeypatch) -> None:
    engine = Sweeper()
    monkeypatch.setattr("freezer.engine.connect.connect.connect", lambda *_: engine)
    project = opened(bare_project, engine)
    kill_one(project, dead)
    assert any_left(journals_in(project.root))
    Session(folder=project.root).engine()
    assert engine.swept == 1
    assert not any_left(journals_in(project.root))
    assert get(project, "latest")[0].state == "interrupted"
    Session(folder=project.root).engine()
    assert engine.swept == 1, "where none is left, the engine is asked for nothing"
    kill_one(project, dead)
    with freezer.open_project(project.root) as api:
        api._engine()
    assert engine.swept == 2


def test_a_database_of_the_team_is_left_to_commands_about_runs(bare_project, dead) -> None:
    engine = Sweeper()
    project = opened(bare_project, engine, ledger="postgresql://127.0.0.1:1/none")
    run = kill_one(project, dead)
    settle_killed(project)
    assert engine.swept == 1
    assert journal_path(project, run.id).exists()


def test_a_journal_whose_writer_lives_is_not_left(bare_project, tmp_path: Path) -> None:
    assert not any_left(tmp_path / "none")
    journal = Journal(journals(bare_project) / "a.jsonl")
    assert not any_left(journals(bare_project))
    journal.close()
    assert any_left(journals(bare_project))
    assert killed.is_dead({}) is False

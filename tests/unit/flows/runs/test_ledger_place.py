"""Where a project's runs are kept: what reading creates, and what dead processes left."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from freezer.errors import LedgerError, LedgerGoneError
from freezer.fetch.config import Config
from freezer.flows.project.project import Project
from freezer.flows.runs.folders import journals
from freezer.flows.runs.ledger import project_ledger
from freezer.flows.runs.queries import fields, find, get, tag
from freezer.ledger.journal import Journal
from freezer.ledger.query import all_points, field_names
from freezer.ledger.query import find as find_runs
from freezer.ledger.record import record
from freezer.ledger.series import Points
from freezer.model.record.run import Run, Time


def run(number: int, state: str = "finished") -> Run:
    return Run(f"{number:016x}", "demo", state, Time(number))


def test_reading_creates_nothing(bare_project: Project) -> None:
    assert find(bare_project, None).total == 0
    assert fields(bare_project) == []
    for command in (lambda: get(bare_project, "latest"), lambda: tag(bare_project, "a", {})):
        with pytest.raises(LedgerError, match="there is no run"):
            command()
    assert not (bare_project.root / ".freezer").exists()


def test_a_folder_that_may_not_be_written_is_read(bare_project: Project, monkeypatch) -> None:
    with project_ledger(bare_project) as ledger:
        record(ledger, run(1))
    before = sorted((bare_project.root / ".freezer").rglob("*"))
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)
    assert find(bare_project, None).total == 1
    assert sorted((bare_project.root / ".freezer").rglob("*")) == before
    with project_ledger(bare_project, reading=True) as ledger, pytest.raises(LedgerError):
        record(ledger, run(2))


def test_reading_creates_no_ledger_that_the_configuration_names(
    bare_project: Project, tmp_path: Path
) -> None:
    path = tmp_path / "no" / "such" / "ledger.db"
    project = replace(bare_project, config=Config(ledger=f"sqlite:///{path}"))
    with project_ledger(project, reading=True) as ledger:
        assert not field_names(ledger)
    assert not path.parent.parent.exists()
    with project_ledger(project) as ledger:
        record(ledger, run(1))
    with project_ledger(project, reading=True) as ledger:
        assert find_runs(ledger, None)[0].id == run(1).id


def test_a_full_disk_is_read(bare_project: Project) -> None:
    with project_ledger(bare_project) as ledger:
        record(ledger, run(1))
    path = bare_project.root / ".freezer" / "ledger.db"
    path.with_name("ledger.db-shm").mkdir()  # no room for the memory that readers share
    assert find(bare_project, "id = '0000000000000001'").total == 1
    assert get(bare_project, "latest")[0].id == run(1).id
    with pytest.raises(LedgerGoneError), project_ledger(bare_project):
        pass
    path.with_name("ledger.db-wal").write_bytes(b"x")
    with pytest.raises(LedgerGoneError):
        get(bare_project, "latest")


def test_a_killed_run_keeps_its_metrics_and_is_recorded_once(bare_project: Project) -> None:
    journal = Journal(journals(bare_project) / "a.jsonl")
    journal.run(run(1, "running"))
    journal.metrics({"metrics.x": Points.of([(0, 0, 1.0), (1, 1, 0.5)])})
    with project_ledger(bare_project, reading=True) as ledger:
        assert not all_points(ledger, run(1).id), "its process lives"
    journal.close()
    kept = journal.path.read_bytes()
    for _ in range(2):
        found, series = get(bare_project, "latest")
        assert (found.state, found.fields["metrics.x"]) == ("interrupted", 0.5)
        assert len(series["metrics.x"]) == 2
        assert not journal.path.exists()
        journal.path.write_bytes(kept)  # as if the kill had come between the two


def test_a_journal_that_cannot_be_recorded_stops_no_other(bare_project: Project) -> None:
    for number in (1, 2):
        journal = Journal(journals(bare_project) / f"{number}.jsonl")
        journal.run(run(number))
        journal.close()
    with project_ledger(bare_project):
        pass
    path = bare_project.root / ".freezer" / "ledger.db"
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TRIGGER no BEFORE INSERT ON runs WHEN new.id LIKE '%3' "
            "BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    for number in (3, 4):
        journal = Journal(journals(bare_project) / f"{number}.jsonl")
        journal.run(run(number))
        journal.close()
    assert {one.id[-1] for one in find(bare_project, None).runs} == {"1", "2", "4"}
    assert (journals(bare_project) / "3.jsonl").exists()

"""Listing the latest runs without SQLAlchemy: the same answer, or none."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freezer.flows.project.project import Project
from freezer.flows.runs import queries
from freezer.flows.runs.folders import LEDGER, journals
from freezer.flows.runs.ledger import project_ledger
from freezer.ledger.connect import open_ledger
from freezer.ledger.journal import Journal
from freezer.ledger.latest import latest
from freezer.ledger.query import count, find
from freezer.ledger.record import record_many
from freezer.model.record.run import Digest, Run, Time


def run(number: int, started: int = 0, state: str = "finished") -> Run:
    fields = {"params.lr": number / 3, "lock": Digest("ab" * 32), "note": "é\u2028 ☃"}
    return Run(f"{number:016x}", "demo", state, Time(started), ("python", "t.py"), fields=fields)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 5), max_size=12), st.none() | st.integers(0, 14))
def test_it_finds_what_a_query_finds(
    tmp_path_factory: pytest.TempPathFactory, started: list[int], limit: int | None
) -> None:
    path = tmp_path_factory.mktemp("ledger") / "a b?%#.db"
    ledger = open_ledger(path)
    record_many(ledger, [(run(number, at), {}, ()) for number, at in enumerate(started)])
    expected = (find(ledger, limit=limit), count(ledger))
    ledger.close()
    assert latest(path, limit) == expected


def test_what_others_write_meanwhile_is_read(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = open_ledger(path)  # stays open: what it wrote is in the write-ahead log
    record_many(ledger, [(run(1), {}, ())])
    assert path.with_name("ledger.db-wal").stat().st_size
    assert latest(path) == ([run(1)], 1)
    ledger.close()


UNFIT = {
    "another schema": "UPDATE alembic_version SET version_num = '0000'",
    "a newer one": "UPDATE alembic_version SET version_num = '9999'",
    "two of them": "INSERT INTO alembic_version VALUES ('0002')",
    "no ledger": "DROP TABLE alembic_version",
    "a run under way": "UPDATE runs SET state = 'running'",
    "a run that cannot be read": "UPDATE runs SET document = '{}'",
}


@pytest.mark.parametrize("change", UNFIT.values(), ids=UNFIT.keys())
def test_all_else_is_left_to_queries(tmp_path: Path, change: str) -> None:
    path = tmp_path / "ledger.db"
    ledger = open_ledger(path)
    record_many(ledger, [(run(1), {}, ())])
    ledger.close()
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(change)
    connection.close()
    assert latest(path) is None


def test_a_file_that_is_no_database_or_missing(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("no database" * 100)
    (tmp_path / "folder.db").mkdir()
    for name in ("text.db", "folder.db", "missing.db"):
        assert latest(tmp_path / name) is None
    assert not (tmp_path / "missing.db").exists()


def test_a_project_is_listed_alike(bare_project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    assert queries.find(bare_project, None) == queries.Found((), 0, ledger_empty=True)
    with project_ledger(bare_project) as ledger:
        record_many(ledger, [(run(number, number), {}, ()) for number in range(5)])
    quick = [queries.find(bare_project, " ", limit=limit) for limit in (None, 0, 3, 9)]
    monkeypatch.setattr("freezer.ledger.latest.latest", lambda *_: None)
    assert [queries.find(bare_project, None, limit=limit) for limit in (None, 0, 3, 9)] == quick
    assert quick[2].total == 5


def test_a_journal_is_settled_first(bare_project: Project) -> None:
    with project_ledger(bare_project) as ledger:
        record_many(ledger, [(run(1), {}, ())])
    journal = Journal(journals(bare_project) / "a.jsonl")
    journal.run(run(2, 5, "running"))
    journal.close()
    found = queries.find(bare_project, None)
    assert [one.state for one in found.runs] == ["interrupted", "finished"]


def test_a_folder_that_may_not_be_written_is_not_opened_for_writing(
    bare_project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    with project_ledger(bare_project) as ledger:
        record_many(ledger, [(run(1), {}, ())])
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)
    monkeypatch.setattr("freezer.ledger.latest.latest", lambda *_: pytest.fail(LEDGER))
    assert queries.find(bare_project, None).total == 1

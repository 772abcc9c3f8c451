"""A dry run lists what a check of the past would take, reads no lock and writes nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from freezer.errors import EngineError, HistoryError
from freezer.flows.compare.check_all import check_all
from freezer.flows.compare.planned_checks import plan_all
from freezer.flows.history.generations import history
from freezer.flows.rollback.rollback import rollback
from tests.support.host.commands import tree
from tests.support.project.histories import NAME, Past, make_past


@pytest.fixture
def past(tmp_path: Path) -> Past:
    """Return a project of three generations, the last of which is the first one's lock again."""
    made = make_past(tmp_path)
    made.make("1.0")
    made.make("2.0")
    rollback(made.opened, NAME)
    return made


def numbers(checks: Any) -> list[list[int]]:
    return [[made.number for made in one.generations] for one in checks]


def test_it_plans_what_is_then_checked(past: Past) -> None:
    before = tree(past.project)
    planned = plan_all(past.opened, None)
    assert tree(past.project) == before
    found = check_all(past.opened, None)
    assert numbers(planned.checks) == numbers(found.checks) == [[1, 3], [2]]
    assert [one.source for one in planned.checks] == [one.how for one in found.checks]


def test_where_an_image_would_come_from(past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = [one.image for one in history(past.opened, NAME).verdicts(2)]
    past.held.configs.clear()
    assert [one.source for one in plan_all(past.opened, NAME).checks] == ["rebuilt", "rebuilt"]
    place = f"registry.example/demo@{recorded[0]}"
    monkeypatch.setattr(
        "freezer.flows.compare.planned_checks.known_place",
        lambda _, images: place if recorded[0] in images else None,
    )
    last = plan_all(past.opened, NAME).checks[-1]
    assert (last.source, last.place) == ("pulled", place)


def test_no_lock_is_read(past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "freezer.flows.history.generations.archived", lambda *_: pytest.fail("a lock was read")
    )
    assert len(plan_all(past.opened, NAME).checks) == 2


def test_nothing_to_plan(past: Past) -> None:
    with pytest.raises(HistoryError, match=f"{NAME} has no generation since"):
        plan_all(past.opened, NAME, since="2999-01-01T00:00:00Z")

    def engine() -> None:
        raise EngineError("no engine answers")

    with pytest.raises(EngineError):
        plan_all(replace(past.opened, engine=engine), NAME)  # type: ignore[arg-type]


@pytest.fixture
def command(past: Past, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    from freezer.cli.session import Session

    monkeypatch.setattr(Session, "project", lambda _: past.opened)
    return ["-C", str(past.project), "check"]


def test_text_and_json(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    from freezer.cli.main import run

    assert run([*command, "--all", "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "1, 3" in out
    assert "in the engine" in out
    assert "2 locks would be checked; nothing was done" in out
    assert run([*command, "--since", "2020-01-01", "--dry-run", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["dry-run"] is True
    assert [(one["generations"], one["how"]) for one in document["locks"]] == [
        ([1, 3], "here"),
        ([2], "here"),
    ]


@pytest.mark.parametrize(
    "words",
    [
        ["--dry-run"],
        ["--generation", "1", "--dry-run"],
        ["--all", "--record", "--dry-run"],
    ],
)
def test_a_dry_run_of_something_else_is_refused(
    command: list[str], words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    from freezer.cli.main import run

    assert run([*command, *words]) == 2
    assert "--dry-run goes with --all or --since" in " ".join(capsys.readouterr().err.split())

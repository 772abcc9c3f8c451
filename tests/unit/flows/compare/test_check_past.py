"""Every lock of the past is built and checked anew; what cannot be shown is not called good."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from freezer.errors import ArtifactGoneError, EngineError, HistoryError, SpecError
from freezer.flows.compare.check_all import check_all, check_generation, parse_since
from freezer.flows.history.generations import history
from freezer.flows.history.log import verify
from freezer.flows.rollback.rollback import rollback
from freezer.history.archive import archive_folder
from freezer.model.record.verdict import Word
from tests.support.host.commands import tree
from tests.support.project.histories import NAME, Past, make_past
from tests.support.project.records import lines

OTHER = {"class": "x86-64-v3-haswell"}


@pytest.fixture
def past(tmp_path: Path) -> Past:
    """Return a project of three generations, the last of which is the first one's lock again."""
    made = make_past(tmp_path)
    made.make("1.0")
    made.make("2.0")
    rollback(made.opened, NAME)
    return made


def test_each_lock_is_checked_once(past: Past) -> None:
    before = tree(past.project)
    found = check_all(past.opened, None)
    numbers = [[made.number for made in one.generations] for one in found.checks]
    assert numbers == [[1, 3], [2]]
    assert [one.how for one in found.checks] == ["here", "here"]
    assert found.good
    assert tree(past.project) == before, "it says nothing new"


def test_what_drifted_is_told_and_recorded(past: Past) -> None:
    past.tell(*lines(loss=0.3))
    found = check_all(past.opened, NAME)
    assert [one.why_not for one in found.checks] == ["drifted", "drifted"]
    assert not found.good
    after = history(past.opened, NAME)
    assert [one.word for one in after.verdicts(2)] == [Word.IDENTICAL, Word.DRIFTED]
    assert after.last_good() is None
    assert verify(past.opened, NAME).faults == ()


def test_one_generation(past: Past) -> None:
    (one,) = check_generation(past.opened, NAME, 2).checks
    assert [made.number for made in one.generations] == [2]
    with pytest.raises(HistoryError, match="there is no generation 9"):
        check_generation(past.opened, NAME, 9)


def test_since(past: Past) -> None:
    date = history(past.opened, NAME).find(1).date
    assert len(check_all(past.opened, NAME, since=date).checks) == 2
    with pytest.raises(HistoryError, match="no generation since"):
        check_all(past.opened, NAME, since="2999-01-01T00:00:00Z")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-01", "2026-11-01T00:00:00Z"),
        ("2026-11-01T12:00:00Z", "2026-11-01T12:00:00Z"),
        ("2026-11-01T12:00:00+02:00", "2026-11-01T10:00:00Z"),
    ],
)
def test_dates(text: str, moment: str) -> None:
    assert parse_since(text) == moment


def test_what_is_no_date() -> None:
    with pytest.raises(SpecError, match="is not a date"):
        parse_since("yesterday")


def test_without_numbers_of_this_class_nothing_is_good(past: Past) -> None:
    past.tell(**OTHER)
    before = tree(past.project)
    found = check_all(past.opened, NAME)
    assert [one.why_not for one in found.checks] == [
        "no reference of class x86-64-v3-haswell: two runs agree with each other; --record keeps the results"
    ] * 2
    assert tree(past.project) == before
    assert check_all(past.opened, NAME, record=True).good
    assert check_all(past.opened, NAME).good
    assert (past.folder / "references/x86-64-v3-haswell.json").is_file(), "of the current lock"
    assert verify(past.opened, NAME).faults == ()


def test_what_cannot_be_had_or_was_edited_does_not_stop_the_others(
    past: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build_locked(*_: object, **__: object) -> None:
        raise ArtifactGoneError("numpy 2.0 is gone from every source")

    monkeypatch.setattr("freezer.flows.image.build.build_locked", build_locked)
    checks = history(past.opened, NAME).verdicts(2)
    del past.held.configs[checks[0].image]
    past.make("3.0")
    kept = archive_folder(past.folder, history(past.opened, NAME).find(1).lock_id)
    (kept / "requirements.txt").write_text("")
    found = check_all(past.opened, NAME)
    assert [one.why_not for one in found.checks] == [
        "a file of the history was edited", "numpy 2.0 is gone from every source", None,
    ]  # fmt: skip


def test_without_an_engine_nothing_is_called_bad(past: Past) -> None:
    def engine() -> None:
        raise EngineError("no engine answers")

    with pytest.raises(EngineError):
        check_all(replace(past.opened, engine=engine), NAME)  # type: ignore[arg-type]


def test_it_is_told_in_text_and_json(
    past: Past, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from freezer.cli.main import run
    from freezer.cli.session import Session

    monkeypatch.setattr(Session, "project", lambda _: past.opened)
    command = ["-C", str(past.project), "check"]
    assert run([*command, "--all"]) == 0
    assert "2 of 2 locks still build and reproduce their results" in capsys.readouterr().out
    past.tell(*lines(loss=0.3))
    assert run([*command, "--generation", "2", "--json"]) == 1
    (one,) = json.loads(capsys.readouterr().out)["locks"]
    assert (one["verdict"], one["generations"], one["how"]) == ("drifted", [2], "here")
    assert run([*command, "--all", "--since", "2026-01-01"]) == 2
    assert run([*command, "demo@sha256:0", "--all"]) == 2

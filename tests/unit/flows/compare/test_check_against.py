"""Whether a change of the lock moved the numbers is a question of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from freezer.errors import CheckError, HistoryError
from freezer.flows.check.check import check
from freezer.flows.compare.check_against import check_against
from freezer.flows.history.generations import history
from freezer.history.archive import archive_folder
from freezer.model.record.verdict import Word
from tests.support.host.commands import tree
from tests.support.project.histories import NAME, Past, make_past
from tests.support.project.insides import OLD
from tests.support.project.records import lines


@pytest.fixture
def past(tmp_path: Path) -> Past:
    """Return a project whose second lock trains to other numbers than its first."""
    made = make_past(tmp_path)
    made.make("1.0")
    made.make("2.0", *lines(loss=0.25))
    return made


def test_what_drifted_from_the_generation_before_is_told_and_not_recorded(past: Past) -> None:
    before = tree(past.project)
    found = check_against(past.opened, NAME, 1)
    assert found.verdict.word is Word.DRIFTED
    assert found.verdict.trainings[0].first is not None
    assert found.verdict.trainings[0].first.what == "loss at step 2"
    assert found.assessment.repeats is True
    assert found.reference.endswith("references/x86-64-v4-skylakex.json")
    assert tree(past.project) == before
    assert check(past.opened, NAME).verdict.word is Word.IDENTICAL, "of its own numbers"


def test_a_change_that_moves_no_number(past: Past) -> None:
    past.make("3.0", *lines(loss=0.25))
    assert check_against(past.opened, NAME, 2).verdict.word is Word.IDENTICAL
    assert check_against(past.opened, NAME, 3).verdict.word is Word.IDENTICAL


def test_another_blas_may_take_other_kernels_on_the_same_cpu(past: Past) -> None:
    """What the lock holds decides on the class as well: each lock has its own here."""
    other = "x86-64-v3-haswell"
    image = past.make("3.0", *lines(loss=0.25))
    run = past.held.run

    def as_each_would(name: str, *rest: Any, **more: Any) -> Any:
        past.tell(*lines(loss=0.25), **({"class": other} if name == image else {}))
        return run(name, *rest, **more)

    past.held.run = as_each_would  # type: ignore[method-assign]
    found = check_against(past.opened, NAME, 2)
    assert (found.record.host.class_, found.verdict.word) == (other, Word.IDENTICAL)
    assert found.reference.endswith("references/x86-64-v4-skylakex.json")


def test_across_an_upgrade_of_freezer_it_says_before_it_trains_what_can_tell(past: Past) -> None:
    past.inside = OLD
    past.make("3.0")
    past.held.run = None  # type: ignore[assignment]
    with pytest.raises(CheckError, match="another version of Freezer's runtime") as caught:
        check_against(past.opened, NAME, 2)
    assert OLD.sha256[:12] in (caught.value.expected or "")
    assert f"`freeze bisect {NAME} --good 2`" in (caught.value.hint or "")


def test_there_must_be_numbers_and_nobody_may_have_edited_them(past: Past) -> None:
    past.tell(**{"class": "x86-64-v3-haswell"})
    with pytest.raises(CheckError, match="no reference of this host's numerics class"):
        check_against(past.opened, NAME, 1)
    past.tell()
    kept = archive_folder(past.folder, history(past.opened, NAME).find(1).lock_id)
    path = kept / "references/x86-64-v4-skylakex.json"
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(HistoryError, match="was edited"):
        check_against(past.opened, NAME, 1)


def test_it_is_asked_for_by_an_option(
    past: Past, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from freezer.cli.main import run
    from freezer.cli.session import Session

    monkeypatch.setattr(Session, "project", lambda _: past.opened)
    command = ["-C", str(past.project), "check", "--against", "1"]
    assert run([*command, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["verdict"] == "drifted"
    assert run([*command, "--record"]) == 2
    assert run([*command, "--all"]) == 2
    assert run([*command, "demo@sha256:0"]) == 2

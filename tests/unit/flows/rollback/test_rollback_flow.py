"""A lock of the past becomes current only when it is shown to be good, and then in one step."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from freezer.check.reference import parse_reference
from freezer.errors import FetchError, HistoryError
from freezer.flows.check.check import check
from freezer.flows.history.generations import current, history
from freezer.flows.history.log import verify
from freezer.flows.image.build import Built, verified_image
from freezer.flows.registry.pull import Pulled
from freezer.flows.rollback.rollback import rollback
from freezer.history.archive import archive_folder
from freezer.model.generation import Checked
from freezer.model.record.verdict import Word
from freezer.output.history.rollback import document, show
from tests.support.host.commands import tree
from tests.support.project.histories import NAME, Past, make_past
from tests.support.project.locks import sha
from tests.support.project.records import lines
from tests.support.registry.registries import make_config

CLASS = "x86-64-v4-skylakex"


@pytest.fixture
def past(tmp_path: Path) -> Past:
    return make_past(tmp_path)


@pytest.fixture
def two(past: Past) -> Past:
    """Return a project whose first lock trained to other numbers than its second."""
    past.make("1.0")
    past.make("2.0", *lines(loss=0.25))
    past.tell()
    return past


def touched(past: Past, work: Callable[[], object]) -> bool:
    before = tree(past.project)
    work()
    return tree(past.project) != before


def test_it_goes_back_to_the_last_good_one(two: Past) -> None:
    first = history(two.opened, NAME).find(1)
    (two.folder / "environment.yml").write_text("of the second lock")
    done = rollback(two.opened, None, reason="numbers moved")
    assert done.done is not None
    assert (done.done.number, done.done.action, done.done.lock_id) == (3, "rollback", first.lock_id)
    assert done.done.summary == "back to generation 1: Python package numpy: 2.0 to 1.0"
    assert (done.done.reason, done.done.deviation) == ("numbers moved", False)
    assert (done.how, done.on_record) == ("here", True)
    assert done.check is not None
    assert (done.check.verdict.word, done.check.by_two_runs) == (Word.IDENTICAL, False)
    assert two.locked.id == first.lock_id
    assert "numpy==1.0" in (two.folder / "requirements.txt").read_text()
    assert not (two.folder / "environment.yml").exists()
    reference = (two.folder / "references" / f"{CLASS}.json").read_bytes()
    assert parse_reference(reference, "x").lock_id == first.lock_id
    assert two.held.tags[f"{NAME}:latest"] == done.image
    assert current(two.opened, NAME) == done.done
    assert verify(two.opened, NAME).faults == ()
    assert "## 3 · " in (two.folder / "CHANGELOG.md").read_text()
    assert check(two.opened, NAME).verdict.word is Word.IDENTICAL
    checks = history(two.opened, NAME).verdicts(3)
    assert [one.word for one in checks] == [Word.IDENTICAL], "the check is recorded once"


def test_the_switch_is_quick(two: Past) -> None:
    done = rollback(two.opened, NAME)
    assert done.switch_seconds is not None
    assert done.switch_seconds < 10  # some milliseconds, where nothing else writes


def test_forward_again(two: Past) -> None:
    rollback(two.opened, NAME)
    two.tell(*lines(loss=0.25))
    assert rollback(two.opened, NAME, to=2).done is not None
    assert two.locked.lock.pip[0].version == "2.0"
    assert verify(two.opened, NAME).faults == ()


def test_a_dry_run_touches_nothing(two: Past) -> None:
    done = rollback(two.opened, NAME, dry_run=True)
    assert (done.target.number, done.how, done.classes) == (1, "here", (CLASS,))
    assert done.changes == ("Python package numpy: 2.0 to 1.0",)
    assert not touched(two, lambda: rollback(two.opened, NAME, dry_run=True))
    assert two.held.tags[f"{NAME}:latest"] != done.image


def test_it_stays_where_the_check_is_not_good(two: Past) -> None:
    two.tell(*lines(loss=0.3))
    latest = two.held.tags[f"{NAME}:latest"]
    done = []
    assert not touched(two, lambda: done.append(rollback(two.opened, NAME)))
    assert done[0].done is None
    assert "drifted" in (done[0].why_not or "")
    assert two.held.tags[f"{NAME}:latest"] == latest


def test_what_is_forced_is_a_deviation(two: Past) -> None:
    two.tell(*lines(loss=0.3))
    done = rollback(two.opened, NAME, force=True, reason="a demo")
    assert done.done is not None
    assert (done.done.deviation, done.done.reason) == (True, "a demo")
    assert [one.word for one in history(two.opened, NAME).verdicts(3)] == [Word.DRIFTED]
    assert "**deviation**" in (two.folder / "CHANGELOG.md").read_text()
    assert verify(two.opened, NAME).faults == ()


def test_force_of_what_is_good_is_no_deviation(two: Past) -> None:
    done = rollback(two.opened, NAME, force=True, reason="to be sure")
    assert done.done is not None
    assert not done.done.deviation


def test_two_runs_that_agree_do_not_speak_for_the_past(two: Past) -> None:
    other = "x86-64-v3-haswell"
    two.tell(**{"class": other})
    done = []
    assert not touched(two, lambda: done.append(rollback(two.opened, NAME)))
    assert done[0].why_not == (
        f"generation 1 has no reference of this host's numerics class {other} (it has: {CLASS}): two runs "
        "here agree with each other, which does not show that they agree with the past"
    )
    forced = rollback(two.opened, NAME, force=True, reason="new machine")
    assert forced.done is not None
    assert forced.done.deviation
    assert {path.stem for path in (two.folder / "references").iterdir()} == {CLASS, other}
    assert verify(two.opened, NAME).faults == ()


def refused(past: Past, said: str, **options: object) -> None:
    before = tree(past.project)
    with pytest.raises(HistoryError, match=said):
        rollback(past.opened, NAME, **options)  # type: ignore[arg-type]
    assert tree(past.project) == before


def test_there_must_be_such_a_generation(two: Past) -> None:
    refused(two, "there is no generation 7", to=7)
    refused(two, "generation 2 is the current one", to=2)
    refused(two, "generation 2 is the current one", to=two.locked.id[:8])
    two.lock("3.0")
    refused(two, "generation 3 is the current one", to=3)


def test_what_is_done_already_is_said_and_not_done_twice(
    two: Past, capsys: pytest.CaptureFixture[str]
) -> None:
    first = rollback(two.opened, NAME, to=1)
    again = []
    assert not touched(two, lambda: again.append(rollback(two.opened, NAME, to=1)))
    assert (again[0].already, again[0].done) == (True, first.done)
    assert (again[0].current.number, again[0].target.number) == (2, 1)
    show(again[0], Console(width=200))
    assert "done already: generation 3 is current, with the lock of generation 1" in (
        capsys.readouterr().out
    )
    assert document(again[0])["already"] is True


def test_there_must_be_a_good_one(past: Past) -> None:
    past.lock("1.0")
    past.lock("2.0")
    refused(past, "no generation before 2 was checked and found good")


def test_where_nothing_is_further_back_it_says_from_where(two: Past) -> None:
    rollback(two.opened, NAME)
    with pytest.raises(HistoryError, match="no generation before 1 was checked") as caught:
        rollback(two.opened, NAME)
    assert caught.value.found == "3, which went back to 1"


def test_a_lock_that_is_not_in_the_history_is_kept_before_it_is_left(two: Past) -> None:
    left = two.place("9.0")
    assert rollback(two.opened, NAME).target.number == 2
    two.place("9.0")
    two.tell(*lines(loss=0.25))
    done = rollback(two.opened, NAME)
    assert done.current.lock_id == left.id
    assert (archive_folder(two.folder, left.id) / "freeze.lock.yaml").exists()


@pytest.mark.parametrize(
    "name", ["freeze.lock.yaml", "requirements.txt", f"references/{CLASS}.json"]
)
def test_what_was_edited_is_not_gone_back_to(two: Past, name: str) -> None:
    path = archive_folder(two.folder, history(two.opened, NAME).find(1).lock_id) / name
    path.write_bytes(path.read_bytes() + b"\n")
    refused(two, "was edited")
    refused(two, "was edited", force=True, reason="no matter")
    refused(two, "was edited", dry_run=True)


def test_a_reference_that_was_recorded_elsewhere_is_not_taken(two: Past) -> None:
    archive = archive_folder(two.folder, history(two.opened, NAME).find(1).lock_id)
    path = archive / f"references/{CLASS}.json"
    document = json.loads(path.read_text())
    assert document.pop("integrity")
    document["host"]["kernel"] = "9.9"  # and made whole again, as anyone can
    from freezer.model.canonical import digest, json_bytes

    document["integrity"] = f"sha256:{digest(json_bytes(document))}"
    path.write_text(json.dumps(document))
    refused(two, "was edited")


def test_an_edited_history_is_not_used(two: Past) -> None:
    content = two.log_file.read_bytes()
    two.log_file.write_bytes(content.replace(b"first lock", b"frist lock"))
    refused(two, "line 1")


def remove_image(past: Past, number: int) -> str:
    found = next(
        one for one in history(past.opened, NAME).entries
        if isinstance(one, Checked) and one.generation == number
    )  # fmt: skip
    del past.held.configs[found.image]
    return found.image


@pytest.fixture
def builder(two: Past, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Let a build put a config into the engine: the one that is in this list, else the old one."""
    configs: list[bytes] = []
    known = dict(two.held.configs)

    def build_locked(opened: object, locked: object, *, latest: bool) -> Built:
        assert not latest
        config = configs[0] if configs else known[image]
        made = two.held.make(config)
        return Built(locked, made.id, (), True, 0, 0.1)  # type: ignore[arg-type]

    image = next(iter(known))
    monkeypatch.setattr("freezer.flows.image.build.build_locked", build_locked)
    return configs


def test_an_image_that_is_gone_is_built_again(two: Past, builder: list[bytes]) -> None:
    image = remove_image(two, 1)
    assert rollback(two.opened, NAME, dry_run=True).how is None
    done = rollback(two.opened, NAME)
    assert (done.how, done.on_record, done.image) == ("rebuilt", True, image)
    assert done.done is not None
    assert two.held.tags[f"{NAME}:latest"] == image


def test_an_image_that_comes_out_otherwise_is_not_good(two: Past, builder: list[bytes]) -> None:
    image = remove_image(two, 1)
    lock_id = history(two.opened, NAME).find(1).lock_id
    builder.append(make_config([b"other"], Labels={"org.freezer.lock-id": lock_id}))
    done = rollback(two.opened, NAME)
    assert done.done is None
    assert "not the one on record" in (done.why_not or "")
    forced = rollback(two.opened, NAME, force=True, reason="needed")
    assert forced.done is not None
    assert forced.done.deviation
    assert forced.image != image


def publish(past: Past, image: str) -> str:
    place = f"registry.example.org/team/demo@sha256:{sha('d')}"
    past.opened.store.put_memo("published-image", image, place)
    return place


def test_an_image_is_pulled_from_where_it_was_published(
    two: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = dict(two.held.configs)
    image = remove_image(two, 1)
    place = publish(two, image)

    def pull(_: object, name: str) -> Pulled:
        assert name == place
        two.held.make(config[image])
        return Pulled(name, image, "x", "y", 0, True, ())

    monkeypatch.setattr("freezer.flows.registry.pull.pull", pull)
    assert rollback(two.opened, NAME, dry_run=True).place == place
    done = rollback(two.opened, NAME)
    assert (done.how, done.on_record) == ("pulled", True)
    found = verified_image(two.opened, two.locked)
    assert found is not None
    assert found.id == image


def test_a_registry_that_is_gone_is_done_without(
    two: Past, builder: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    image = remove_image(two, 1)
    publish(two, image)

    def pull(*_: object) -> Pulled:
        raise FetchError("the registry cannot be reached")

    monkeypatch.setattr("freezer.flows.registry.pull.pull", pull)
    assert rollback(two.opened, NAME).how == "rebuilt"
    assert any("cannot be reached" in note for note in two.ear.notes)


def test_it_is_told_in_text_and_json(
    two: Past, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from freezer.cli.main import run
    from freezer.cli.session import Session

    monkeypatch.setattr(Session, "project", lambda _: two.opened)
    command = ["-C", str(two.project), "rollback"]
    assert run([*command, "--force"]) == 2
    assert "--reason" in capsys.readouterr().err
    assert run([*command, "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "dry run, nothing was touched; 1 change to go back to generation 1" in said
    two.tell(*lines(loss=0.3))
    assert run(command) == 1
    assert "stays at generation 2" in capsys.readouterr().out
    two.tell()
    assert run([*command, "--json", "--to", "1"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["done"]["number"] == 3
    assert found["check"]["verdict"] == "identical"
    assert found["switch-seconds"] < 10

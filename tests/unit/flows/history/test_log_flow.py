"""Generations are recorded, shown, compared with their digests, and joined after a merge."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from freezer.errors import HistoryError, LockError
from freezer.flows.check.record import checked_entry, inventory_in
from freezer.flows.history.generations import ADOPTED, current, generation, history
from freezer.flows.history.log import join, log, verify
from freezer.history.archive import archive_folder
from freezer.history.changelog import write_changelog
from freezer.history.log import append
from freezer.model.canonical import digest
from freezer.model.lock import SmokeFile
from freezer.model.record.verdict import Word
from tests.support.project.histories import GIT, NAME, Past, make_past


@pytest.fixture
def past(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Past:
    for key, value in GIT.items():
        monkeypatch.setenv(key, value)
    return make_past(tmp_path)


@pytest.fixture
def three(past: Past) -> Past:
    past.lock("1.0", reason="the start")
    past.check()
    past.lock("2.0")
    past.check(Word.DRIFTED)
    past.lock("3.0")
    return past


def tree(past: Past) -> dict[str, tuple[bytes, int]]:
    found = (one for one in past.project.rglob("*") if one.is_file() and ".git" not in one.parts)
    return {str(one): (one.read_bytes(), one.stat().st_mtime_ns) for one in found}


def test_the_log_tells_of_each_generation(three: Past) -> None:
    before = tree(three)
    found = log(three.opened, None)
    assert [row.generation.number for row in found.rows] == [1, 2, 3]
    assert [row.current for row in found.rows] == [False, False, True]
    assert found.rows[0].generation.reason == "the start"
    assert found.rows[0].generation.summary == "first lock, 2 packages"
    assert found.rows[0].generation.who == "Ada <ada@example.org>"
    assert [one.word for one in found.rows[1].checks] == [Word.DRIFTED]
    assert found.unrecorded is None
    assert tree(three) == before


def test_every_generation_is_kept_whole(three: Past) -> None:
    first = generation(three.opened, NAME, 1)
    assert first.lock.pip[0].version == "1.0"
    names = {path.name for path in first.folder.rglob("*") if path.is_file()}
    assert names == {"freeze.lock.yaml", "requirements.txt", "x86-64-v4-skylakex.json"}
    assert current(three.opened, NAME) == history(three.opened, NAME).find(3)


def test_a_lock_that_came_otherwise_is_adopted_with_what_changed(three: Past) -> None:
    three.place("4.0")
    assert current(three.opened, NAME) is None
    assert log(three.opened, NAME).unrecorded == three.locked.id
    found = three.adopt()
    assert found is not None
    assert found.summary == f"{ADOPTED}; Python package numpy: 3.0 to 4.0"
    assert three.adopt() == found


def test_what_says_nothing_new_touches_nothing(three: Past) -> None:
    three.check()
    before = tree(three)
    three.lock("3.0")
    assert three.adopt() == current(three.opened, NAME)
    three.check()
    changed = {path for path, state in tree(three).items() if before[path] != state}
    # Written by the test, as `freeze lock` and `freeze check` do when they have something to say.
    own = {str(three.lock_file), str(three.folder / "requirements.txt")}
    assert changed <= {*own, str(three.folder / "references/x86-64-v4-skylakex.json")}


def test_a_verdict_that_changes_and_changes_back_is_told(three: Past) -> None:
    for word in (Word.IDENTICAL, Word.DRIFTED, Word.DRIFTED, Word.IDENTICAL):
        three.check(word)
    found = history(three.opened, NAME)
    assert [one.word for one in found.verdicts(3)] == [
        Word.IDENTICAL, Word.DRIFTED, Word.IDENTICAL
    ]  # fmt: skip


def test_it_works_without_git(past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL"):
        monkeypatch.delenv(key)
    monkeypatch.setenv("PATH", "/nowhere")
    made = past.lock("1.0")
    assert (made.who, made.commit) == (None, None)
    assert verify(past.opened, NAME).faults == ()


@pytest.mark.process
def test_the_commit_is_named_and_credentials_are_not(past: Past) -> None:
    past.lock("1.0")
    past.git("init", "-q")
    past.commit()
    made = past.lock("2.0", reason="from https://ada:secret@example.org/x\n\x1b[31mred")
    assert made.commit == past.git("rev-parse", "HEAD").strip()
    assert made.reason == "from https://***@example.org/x [31mred"


def test_an_untouched_history_is_good(three: Past) -> None:
    found = verify(three.opened, None)
    assert found.faults == ()
    assert (found.entries, found.locks) == (5, 3)


def edit(path: Path, old: bytes, new: bytes) -> None:
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new, 1))


def test_an_edited_entry_is_named(three: Past) -> None:
    edit(three.log_file, b"the start", b"the stars")
    assert any("line 1" in one for one in verify(three.opened, NAME).faults)


def test_an_edited_last_entry_is_found_by_the_changelog(three: Past) -> None:
    edit(three.log_file, b"numpy: to 3.0", b"numpy: to 3.1")
    (fault,) = verify(three.opened, NAME).faults
    assert "last entry was edited" in fault


def test_entries_cut_off_the_end_are_missed(three: Past) -> None:
    lines = three.log_file.read_bytes().splitlines(keepends=True)
    three.log_file.write_bytes(b"".join(lines[:-2]))
    three.place("1.0")
    said = verify(three.opened, NAME).faults
    assert any("CHANGELOG.md" in one and "removed" in one for one in said)
    assert any("no generation has this lock" in one for one in said)


@pytest.mark.process
def test_version_control_names_the_entry(three: Past) -> None:
    three.git("init", "-q")
    three.commit()
    edit(three.log_file, b"numpy: to 3.0", b"numpy: to 3.1")
    assert any("generation 3" in one for one in verify(three.opened, NAME).faults)


@pytest.mark.parametrize(
    "name", ["freeze.lock.yaml", "requirements.txt", "references/x86-64-v4-skylakex.json"]
)
@pytest.mark.parametrize("gone", [False, True])
def test_an_edited_file_of_the_past_is_named(three: Past, name: str, gone: bool) -> None:
    lock_id = history(three.opened, NAME).find(1).lock_id
    path = archive_folder(three.folder, lock_id) / name
    path.unlink() if gone else path.write_bytes(path.read_bytes() + b"\n")
    (fault,) = verify(three.opened, NAME).faults
    assert f"history/{lock_id}/{name}" in fault
    assert ("missing" if gone else "edited") in fault


def test_an_edited_inventory_of_the_past_is_named(three: Past) -> None:
    kept = archive_folder(three.folder, three.locked.id) / "inventory.json"
    kept.write_text("{}")
    past = history(three.opened, NAME)
    checked = checked_entry(
        three.opened, past, past.generations[-1], three.reference(), Word.IDENTICAL,
        reference=None, inventory=inventory_in(kept.parent),
    )  # fmt: skip
    write_changelog(three.folder, append(three.folder, past, checked), NAME)
    assert verify(three.opened, NAME).faults == ()
    kept.write_text("{ }")
    (fault,) = verify(three.opened, NAME).faults
    assert "inventory.json" in fault
    kept.unlink()
    (fault,) = verify(three.opened, NAME).faults
    assert "is missing" in fault


def test_an_edited_lock_of_the_past_is_not_used(three: Past) -> None:
    edit(archive_folder(three.folder, history(three.opened, NAME).find(1).lock_id)
         / "freeze.lock.yaml", b"1.0", b"1.1")  # fmt: skip
    with pytest.raises(HistoryError, match="was edited"):
        generation(three.opened, NAME, 1)


def test_a_folder_that_was_put_there_is_named(three: Past) -> None:
    (three.folder / "history" / digest(b"x")).mkdir()
    (fault,) = verify(three.opened, NAME).faults
    assert "no generation has this lock" in fault


def test_an_edited_changelog_is_named_and_one_left_behind_is_not(three: Past) -> None:
    changelog = three.folder / "CHANGELOG.md"
    behind = changelog.read_bytes()
    three.lock("4.0")
    changelog.write_bytes(behind)
    assert verify(three.opened, NAME).faults == ()
    edit(changelog, b"the start", b"the stars")
    assert "CHANGELOG.md" in verify(three.opened, NAME).faults[0]


def test_the_changelog_tells_it_newest_first(three: Past) -> None:
    text = (three.folder / "CHANGELOG.md").read_text()
    assert text.index("## 3 ·") < text.index("## 2 ·") < text.index("## 1 ·")
    assert "on x86-64-v4-skylakex: **drifted**" in text
    assert "- reason: the start" in text


@pytest.fixture
def forked(three: Past) -> Past:
    """Return a project where two branches made a generation 4, and git could not merge them."""
    three.git("init", "-q")
    three.commit()
    three.git("checkout", "-q", "-b", "side")
    three.lock("4.0", reason="theirs")
    three.check()
    three.commit()
    three.git("checkout", "-q", "main")
    three.lock("5.0", reason="ours")
    three.commit()
    three.git("merge", "side", good=False)
    return three


@pytest.mark.process
def test_a_merge_that_git_could_not_do_says_the_way_out_and_is_joined(forked: Past) -> None:
    with pytest.raises(HistoryError) as caught:
        log(forked.opened, NAME)
    assert "conflict markers" in str(caught.value)
    assert "freeze log --join" in str(caught.value)
    with pytest.raises(LockError):
        join(forked.opened, NAME)  # whose lock is to be current is not settled
    forked.git("checkout", "--ours", "lockfiles/demo/freeze.lock.yaml")
    forked.git("checkout", "--ours", "lockfiles/demo/requirements.txt")
    made = join(forked.opened, NAME, "both were wanted")
    assert (made.number, made.action, made.lock_id) == (5, "merge", forked.locked.id)
    assert len(made.parents) == 2
    found = history(forked.opened, NAME)
    assert [one.number for one in found.generations] == [1, 2, 3, 4, 4, 5]
    assert {one.reason for one in found.generations} >= {"ours", "theirs"}
    assert "4 (lock" in made.summary
    forked.commit("merged")
    assert verify(forked.opened, NAME).faults == ()
    assert forked.lock("6.0").number == 6


@pytest.mark.process
def test_two_generations_of_one_number_are_told_apart_by_their_locks(forked: Past) -> None:
    forked.git("checkout", "--theirs", "lockfiles/demo/freeze.lock.yaml")
    made = join(forked.opened, NAME)
    beside = (forked.folder / "requirements.txt").read_text()
    assert "numpy==4.0" in beside, "git merged it line by line, or could not"
    assert "<<<<<<<" not in beside
    found = history(forked.opened, NAME)
    with pytest.raises(HistoryError, match="several generations"):
        found.find(4)
    assert found.find(made.lock_id[:8]) == made
    theirs, ours = sorted(found.generations[3:5], key=lambda one: one.reason == "ours")
    assert made.lock_id == theirs.lock_id
    assert [one.word for one in found.verdicts(theirs)] == [Word.IDENTICAL]
    assert found.verdicts(ours) == ()


@pytest.mark.process
def test_a_merge_by_union_is_joined_as_well(forked: Past) -> None:
    lines = forked.log_file.read_bytes().splitlines(keepends=True)
    kept = [one for one in lines if one.startswith(b"{")]
    forked.log_file.write_bytes(b"".join(kept))
    forked.git("checkout", "--ours", "lockfiles/demo/freeze.lock.yaml")
    with pytest.raises(HistoryError, match="forks"):
        log(forked.opened, NAME)
    made = join(forked.opened, NAME)
    assert verify(forked.opened, NAME).faults == ()
    (forked.folder / "CHANGELOG.md").unlink()  # killed before it was written
    assert join(forked.opened, NAME) == made
    assert forked.ear.notes[-1] == f"Joined already: generation {made.number} is the join"
    assert verify(forked.opened, NAME).faults == ()
    forked.lock("6.0")
    with pytest.raises(HistoryError, match="nothing to join"):
        join(forked.opened, NAME)


@pytest.mark.process
def test_an_entry_that_is_gone_is_not_joined_over(forked: Past) -> None:
    lines = forked.log_file.read_bytes().splitlines(keepends=True)
    forked.log_file.write_bytes(b"".join(lines[1:]))
    forked.git("checkout", "--ours", "lockfiles/demo/freeze.lock.yaml")
    before = forked.log_file.read_bytes()
    with pytest.raises(HistoryError):
        join(forked.opened, NAME)
    assert forked.log_file.read_bytes() == before


def test_the_log_as_json_and_as_text(three: Past, capsys: pytest.CaptureFixture[str]) -> None:
    from freezer.cli.main import run

    assert run(["-C", str(three.project), "log", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["generations"]
    assert [one["number"] for one in found] == [1, 2, 3]
    assert found[0]["checks"][0]["word"] == "identical"
    assert run(["-C", str(three.project), "log"]) == 0
    text = capsys.readouterr().out
    assert "numpy: to 3.0" in text
    assert "reason: the start, by Ada <ada@example.org>" in text
    assert run(["-C", str(three.project), "log", "--verify"]) == 0
    assert "untouched, 5 entries and 3 locks verified" in capsys.readouterr().out
    edit(three.log_file, b"the start", b"the stars")
    assert run(["-C", str(three.project), "log", "--verify", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["good"] is False
    assert run(["-C", str(three.project), "log"]) == 2
    assert "line 1" in capsys.readouterr().err


def test_the_files_of_an_own_training_outlive_the_store(past: Past) -> None:
    sha256 = past.opened.store.put_bytes(b"print('training')")
    past.lock("1.0", SmokeFile(path="train.py", size=17, sha256=sha256))
    past.lock("2.0")
    past.opened.store.path(sha256).unlink()
    generation(past.opened, NAME, 1)
    assert past.opened.store.verified(sha256).read_bytes() == b"print('training')"
    kept = archive_folder(past.folder, history(past.opened, NAME).find(1).lock_id) / "smoke"
    (kept / sha256).write_bytes(b"print('other')")
    assert any("edited" in one and sha256 in one for one in verify(past.opened, NAME).faults)
    past.opened.store.path(sha256).unlink()
    with pytest.raises(HistoryError, match="was edited"):
        generation(past.opened, NAME, 1)

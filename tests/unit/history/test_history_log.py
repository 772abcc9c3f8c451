"""The history's file: what binds its entries, and what is said when one was touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from freezer.errors import HistoryError
from freezer.history.log import FOLDER, LOG_FILE, History, append, read_history
from freezer.model.generation import Checked, Generation, entry_digest, entry_line, parse_entry
from freezer.model.record.verdict import Word
from tests.support.project.locks import sha

DATE = "2026-11-01T00:00:00Z"


def made(history: History, lock: str, **more: object) -> Generation:
    values = {
        "number": history.next_number,
        "parents": history.tips,
        "date": DATE,
        "action": "lock",
        "lock_id": sha(lock),
        "summary": f"lock {lock}",
    }
    return Generation.model_validate({**values, **more})


def checked(history: History, number: int, word: Word, class_: str = "x86-64-v3") -> Checked:
    return Checked(
        parents=history.tips,
        date=DATE,
        generation=number,
        lock_id=history.find(number).lock_id,
        class_=class_,
        word=word,
        image=f"sha256:{sha('c')}",
        cpu="Test CPU",
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    history = History()
    for lock in "abc":
        history = append(tmp_path, history, made(history, lock))
    return tmp_path


def lines(folder: Path) -> list[bytes]:
    return (folder / FOLDER / LOG_FILE).read_bytes().splitlines(keepends=True)


def write(folder: Path, content: list[bytes]) -> None:
    (folder / FOLDER / LOG_FILE).write_bytes(b"".join(content))


def refused(folder: Path) -> HistoryError:
    with pytest.raises(HistoryError) as caught:
        read_history(folder, "lockfiles/demo")
    return caught.value


def test_each_entry_names_the_one_before(folder: Path) -> None:
    history = read_history(folder, "lockfiles/demo")
    assert [one.number for one in history.generations] == [1, 2, 3]
    assert history.entries[0].parents == ()
    assert history.entries[2].parents == (entry_digest(history.entries[1]),)
    assert history.head == history.generations[-1]
    assert all(parse_entry(entry_line(one)) == one for one in history.entries)


def test_there_is_no_history_before_the_first_generation(tmp_path: Path) -> None:
    history = read_history(tmp_path, "lockfiles/demo")
    assert history == History(shown=history.shown)
    assert history.head is None
    assert history.last_good() is None
    assert not list(tmp_path.iterdir())


def test_an_edited_entry_is_named_by_the_one_that_follows(folder: Path) -> None:
    first, second, third = lines(folder)
    write(folder, [first, second.replace(b"lock b", b"lock x"), third])
    error = refused(folder)
    assert error.where is not None
    assert (error.where.file, error.where.line) == ("lockfiles/demo/history/generations.jsonl", 3)
    assert "line 2" in error.what


@pytest.mark.parametrize("order", [(0, 2), (1, 2), (0, 2, 1), (1, 0, 2), (0, 0, 1, 2)])
def test_removed_swapped_and_doubled_entries_are_found(
    folder: Path, order: tuple[int, ...]
) -> None:
    content = lines(folder)
    write(folder, [content[index] for index in order])
    assert refused(folder).where is not None


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"{\n", "Expecting property name"),
        (b'{"kind":"generation"}\n', "Field required"),
        (b"[]\n", "not a history entry"),
        (b"[" * 100_000 + b"\n", "not a history entry"),
        (b"\n", "not a history entry"),
        (b"\xff\n", "not a history entry"),
    ],
)
def test_a_line_that_is_no_entry_is_named(folder: Path, line: bytes, said: str) -> None:
    write(folder, [*lines(folder)[:2], line])
    error = refused(folder)
    assert error.where is not None
    assert error.where.line == 3
    assert said in str(error)


def test_a_line_must_be_in_the_one_form(folder: Path) -> None:
    content = lines(folder)
    write(folder, [*content[:2], content[2].replace(b'":', b'": ', 1)])
    assert "canonical form" in str(refused(folder))


def test_an_escape_sequence_is_no_summary(folder: Path) -> None:
    content = lines(folder)
    write(folder, [*content[:2], content[2].replace(b"lock c", b"\\u001b[31m")])
    assert "printable characters only" in str(refused(folder))


def test_half_a_line_is_named(folder: Path) -> None:
    content = lines(folder)
    write(folder, [*content[:2], content[2][:20]])
    error = refused(folder)
    assert error.where is not None
    assert error.where.line == 3


def test_a_history_that_is_gone_is_missed(folder: Path) -> None:
    kept = folder / FOLDER / sha("a")
    kept.mkdir()
    (kept / "freeze.lock.yaml").touch()
    (folder / FOLDER / LOG_FILE).unlink()
    assert "is missing" in refused(folder).what


def test_conflict_markers_and_forks_say_the_way_out(folder: Path) -> None:
    base = read_history(folder, "x")
    ours = entry_line(made(base, "d")) + b"\n"
    theirs = entry_line(made(base, "e")) + b"\n"
    content = lines(folder)
    write(folder, [*content, b"<<<<<<< HEAD\n", ours, b"=======\n", theirs, b">>>>>>> side\n"])
    error = refused(folder)
    assert error.where is not None
    assert error.where.line == 4
    assert "freeze log --join" in str(error)
    write(folder, [*content, ours, theirs])
    error = refused(folder)
    assert "forks" in error.what
    assert "freeze log --join" in str(error)
    assert len(error.details) == 2


def test_an_entry_that_does_not_follow_is_not_added(folder: Path) -> None:
    before = lines(folder)
    with pytest.raises(HistoryError, match="does not follow"):
        append(folder, read_history(folder, "x"), made(History(), "d"))
    assert lines(folder) == before


def test_generations_are_found_by_number_and_by_lock(folder: Path) -> None:
    history = read_history(folder, "x")
    assert history.find(2).lock_id == sha("b")
    assert history.find("bbbb").number == 2
    for name in (4, 0, "bbb", "dddd"):
        with pytest.raises(HistoryError, match="there is no generation"):
            history.find(name)


def test_the_last_good_generation(folder: Path) -> None:
    history = read_history(folder, "x")
    assert history.last_good() is None
    history = append(folder, history, checked(history, 1, Word.IDENTICAL))
    history = append(folder, history, checked(history, 2, Word.IDENTICAL))
    history = append(folder, history, checked(history, 3, Word.DRIFTED))
    assert history.last_good() == history.find(2)
    history = append(folder, history, checked(history, 2, Word.FAILED, "aarch64"))
    assert history.last_good() == history.find(1), "the last check on each host counts"
    history = append(folder, history, checked(history, 2, Word.EQUIVALENT, "aarch64"))
    assert history.last_good() == history.find(2)
    assert history.last_good(before=2) == history.find(1)
    assert history.last_good(before=1) is None


def test_going_back_does_not_end_at_the_same_lock(folder: Path) -> None:
    history = read_history(folder, "x")
    history = append(folder, history, checked(history, 1, Word.IDENTICAL))
    history = append(folder, history, made(history, "a", action="rollback"))
    assert history.last_good() is None


def test_going_back_twice_goes_back_further(folder: Path) -> None:
    history = read_history(folder, "x")
    for number in (1, 2, 3):
        history = append(folder, history, checked(history, number, Word.IDENTICAL))
    for number, lock, target in ((4, "b", 1), (5, "a", None)):
        history = append(folder, history, made(history, lock, action="rollback"))
        history = append(folder, history, checked(history, number, Word.IDENTICAL))
        assert history.last_good() == (history.find(target) if target else None)
    history = append(folder, history, made(history, "d"))
    assert history.last_good() == history.find(5), "what was current before it"


def test_a_rollback_to_a_lock_that_the_history_had_not_is_its_own_start(folder: Path) -> None:
    history = read_history(folder, "x")
    history = append(folder, history, checked(history, 3, Word.IDENTICAL))
    history = append(folder, history, made(history, "d", action="rollback"))
    assert history.last_good() == history.find(3)

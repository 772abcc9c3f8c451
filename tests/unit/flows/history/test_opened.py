"""The exclusive lock of an environment, its history opened to be changed, and new entries."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from freezer.errors import BusyError, HistoryError
from freezer.flows.history.entries import new_generation, summary_of
from freezer.flows.history.generations import EXPORTS, adopted_history, history, record_generation
from freezer.flows.history.log import verify
from freezer.flows.history.opened import open_history
from freezer.flows.project import exclusive
from freezer.flows.project.exclusive import exclusive_lock
from freezer.flows.project.git import author, committed, one_line
from freezer.history.log import LOG_FILE
from tests.support.project.histories import GIT, NAME, Past, make_past
from tests.support.project.locks import make_lock, sha


@pytest.fixture
def past(tmp_path: Path) -> Past:
    made = make_past(tmp_path)
    made.lock("1.0")
    return made


def test_the_lock_does_nothing_but_exclude(past: Past) -> None:
    before = {one: one.read_bytes() for one in past.project.rglob("*") if one.is_file()}
    journal = past.log_file.with_name(".switch.json")
    journal.write_bytes(b"no journal")
    with exclusive_lock(past.opened, NAME), exclusive_lock(past.opened, NAME):
        pass  # reentrant, and blind to what is in the folder
    journal.unlink()
    assert {one: one.read_bytes() for one in past.project.rglob("*") if one.is_file()} == before


def test_another_thread_waits_and_gives_up(past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exclusive, "_PATIENCE", 0.2)
    caught: list[BusyError] = []

    def other() -> None:
        try:
            with exclusive_lock(past.opened, NAME):
                pass
        except BusyError as error:
            caught.append(error)

    with exclusive_lock(past.opened, NAME):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert len(caught) == 1


def test_another_environment_is_not_held_up(past: Past) -> None:
    with exclusive_lock(past.opened, NAME), exclusive_lock(past.opened, "another"):
        pass


def test_it_is_released_after_an_error(past: Past) -> None:
    with pytest.raises(HistoryError), exclusive_lock(past.opened, NAME):
        raise HistoryError("x")
    assert past.lock("2.0").number == 2


def test_entries_are_added_to_what_was_read(past: Past) -> None:
    with open_history(past.opened, NAME) as opened:
        entry = new_generation(
            past.opened, opened.past, sha("b"), action="lock", files={}, summary="by hand"
        )
        opened.add(entry)
        assert opened.past.head == entry
        opened.add(entry)  # there already
        assert len(opened.past.entries) == 2
    assert history(past.opened, NAME).head == entry
    assert "by hand" in (past.folder / "CHANGELOG.md").read_text()


def test_a_history_that_changed_meanwhile_is_not_written_over(past: Past) -> None:
    """As a `git pull` does while a command resolves."""
    before = past.log_file.read_bytes()
    with open_history(past.opened, NAME) as opened:
        entry = new_generation(
            past.opened, opened.past, sha("b"), action="lock", files={}, summary="mine"
        )
        past.log_file.write_bytes(before + before)
        with pytest.raises(HistoryError, match="changed by another program"):
            opened.add(entry)
    assert past.log_file.read_bytes() == before + before


def test_temporary_files_of_killed_processes_are_swept(past: Past) -> None:
    for folder in (past.folder, past.log_file.parent):
        (folder / f".{LOG_FILE}.0a1b2c3d.part").write_bytes(b"half")
    adopted_history(past.opened, NAME)
    assert not list(past.folder.rglob("*.part"))


def test_exports_that_freezer_writes_otherwise_are_a_generation(past: Past) -> None:
    """A newer Freezer may write the same lock's files in another form."""
    requirements = past.folder / "requirements.txt"
    requirements.write_text("# another form\n")
    with open_history(past.opened, NAME) as opened:
        made = record_generation(opened, past.locked, action="lock", summary="x")
    assert (made.number, made.summary, made.lock_id) == (2, EXPORTS, past.locked.id)
    assert verify(past.opened, NAME).faults == ()
    with open_history(past.opened, NAME) as opened:
        assert record_generation(opened, past.locked, action="lock", summary="x") == made
    assert requirements.read_text() == "# another form\n"


def test_a_generation_has_one_printable_line_for_each_text(past: Past) -> None:
    made = new_generation(
        past.opened, history(past.opened, NAME), sha("b"), action="update", files={},
        summary="a\n\x1b[31mb", reason=" https://ada:secret@example.org ", image=f"sha256:{sha('c')}",
        deviation=True,
    )  # fmt: skip
    assert (made.summary, made.reason) == ("a [31mb", "https://***@example.org")
    assert (made.number, made.deviation, made.image) == (2, True, f"sha256:{sha('c')}")
    bare = new_generation(
        past.opened, history(past.opened, NAME), sha("b"), action="lock", files={}, summary="\0", reason=" "
    )  # fmt: skip
    assert (bare.summary, bare.reason) == ("lock", None)


def test_summaries() -> None:
    assert summary_of([]) == "written anew"
    assert summary_of(["a", "b"]) == "a; b"
    assert summary_of([str(one) for one in range(8)]) == "0; 1; 2; 3; 4; 5; and 2 more"
    assert summary_of([], make_lock()).startswith("first lock, ")


@pytest.mark.process
def test_what_git_knows(past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in GIT.items():
        monkeypatch.setenv(key, value)
    past.git("init", "-q")
    past.commit()
    found = author(past.project)
    assert found.who == "Ada <ada@example.org>"
    assert found.commit == past.git("rev-parse", "HEAD").strip()
    shown = f"lockfiles/{NAME}/history/{LOG_FILE}"
    assert committed(past.project, shown) == past.log_file.read_bytes()
    assert committed(past.project, "absent") == b""
    monkeypatch.setattr(subprocess, "run", _broken)
    assert committed(past.project, shown) == b""


def _broken(*_: object, **__: object) -> None:
    raise subprocess.TimeoutExpired("git", 5)


def test_one_line_is_short_and_printable() -> None:
    assert one_line(" a\n b\t\x07c ") == "a b c"
    assert len(one_line("x" * 5000)) == 1000
    assert one_line("x" * 5000, 5) == "xxxx…"


@pytest.mark.process
def test_the_lock_is_of_the_process_as_well(past: Past) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from freezer.flows.project import exclusive\n"
        "from tests.support.project.histories import NAME, Past\n"
        "exclusive._PATIENCE = 0.2\n"
        "with exclusive.exclusive_lock(Past(Path(sys.argv[1])).opened, NAME): print('held')\n"
    )
    root = Path(__file__).parents[4]
    arguments = [sys.executable, "-c", script, str(past.root)]
    with exclusive_lock(past.opened, NAME):
        done = subprocess.run(arguments, capture_output=True, text=True, check=False, cwd=root)
        assert "BusyError" in done.stderr
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, cwd=root)
    assert done.stdout == "held\n"

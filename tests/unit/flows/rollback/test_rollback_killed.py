"""A rollback that is killed has not happened, or is ended by whoever comes next; two take turns."""

from __future__ import annotations

import contextlib
import shutil
import signal
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from freezer.errors import HistoryError
from freezer.flows.history.generations import history
from freezer.flows.history.log import log, verify
from freezer.flows.project.exclusive import exclusive_lock
from freezer.flows.rollback.rollback import rollback
from freezer.history.log import FOLDER
from freezer.history.switch import JOURNAL
from tests.support.host.commands import tree
from tests.support.host.forking import SERVER
from tests.support.project.histories import NAME, Past, make_past
from tests.support.project.killed_rollback import go_back
from tests.support.project.records import lines

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Past:
    """Return a project that can go back; not to be changed."""
    past = make_past(tmp_path_factory.mktemp("two"))
    past.make("1.0")
    past.make("2.0", *lines(loss=0.25))
    return past


def copy(past: Past, root: Path) -> Past:
    shutil.copytree(past.root, root, dirs_exist_ok=True)
    made = Past(root)
    made.engine_again()
    return made


def start(past: Past, event: str = "none", place: str = "none") -> tuple[Any, Connection]:
    """Start a rollback in a process of its own; return it and what it reports."""
    mine, theirs = SERVER.Pipe(duplex=False)
    process = SERVER.Process(target=go_back, args=(theirs, past.root, event, place))
    process.start()
    theirs.close()
    return process, mine


def end(process: Any, said: Connection) -> tuple[int, str]:
    """Return the exit code and all that was reported."""
    lines = []
    with said, contextlib.suppress(EOFError):
        while said.poll(60):
            lines.append(said.recv())
    process.join(60)
    code = process.exitcode
    process.close()
    return code, "\n".join(lines)


def kill(past: Past, event: str, place: str) -> None:
    code, said = end(*start(past, event, place))
    assert code == -signal.SIGKILL, said


@pytest.fixture(scope="module")
def cut_off(two: Past, tmp_path_factory: pytest.TempPathFactory) -> Past:
    """Return a project whose rollback was killed in the middle; not to be changed."""
    past = copy(two, tmp_path_factory.mktemp("cut-off"))
    kill(past, "os.rename", "demo/freeze.lock.yaml")
    return past


def test_killed_before_it_counts_it_has_not_happened(two: Past, tmp_path: Path) -> None:
    past = copy(two, tmp_path)
    before = {path: data for path, data in tree(past.project).items() if JOURNAL not in path}
    kill(past, "os.rename", JOURNAL)
    after = {path: data for path, data in tree(past.project).items() if JOURNAL not in path}
    assert after == before
    past.adopt()
    assert history(past.opened, NAME).next_number == 3
    assert rollback(past.opened, NAME).done is not None
    assert not list((past.folder / FOLDER).glob(f"*{JOURNAL}*"))


COUNTED = [
    ("os.rename", "references/x86-64-v4-skylakex.json"),
    ("os.rename", "demo/freeze.lock.yaml"),
    ("os.rename", "generations.jsonl"),
    ("os.remove", JOURNAL),
]
"""Kills after the journal was written."""


@pytest.mark.parametrize(("event", "place"), COUNTED)
def test_killed_in_the_middle_the_next_command_ends_it(
    two: Past, tmp_path: Path, event: str, place: str
) -> None:
    past = copy(two, tmp_path)
    kill(past, event, place)
    past.held.tags.clear()
    before = tree(past.project)
    log(past.opened, NAME)
    assert any("was cut off" in warning for warning in past.ear.warnings)
    assert tree(past.project) == before
    found = past.adopt()
    assert found is not None
    assert (found.number, found.action) == (3, "rollback")
    assert past.locked.lock.pip[0].version == "1.0"
    assert past.held.tags[f"{NAME}:latest"] == found.image
    assert verify(past.opened, NAME).faults == ()
    hidden = [path for path in past.folder.rglob(".*") if path.is_file()]
    assert not hidden, "nothing half-written is left"
    assert any("cut off" in note for note in past.ear.notes)


@pytest.mark.parametrize(("event", "place"), COUNTED)
@pytest.mark.parametrize("to", [None, 1])
def test_the_command_itself_says_that_it_is_done(
    two: Past, tmp_path: Path, event: str, place: str, to: int | None
) -> None:
    past = copy(two, tmp_path)
    kill(past, event, place)
    found = rollback(past.opened, NAME, to=to)
    assert found.already
    assert found.done is not None
    assert (found.done.number, found.done.action) == (3, "rollback")
    assert past.locked.lock.pip[0].version == "1.0"
    assert verify(past.opened, NAME).faults == ()


def test_another_rollback_than_the_one_cut_off_is_left_to_its_user(
    cut_off: Past, tmp_path: Path
) -> None:
    past = copy(cut_off, tmp_path)
    with pytest.raises(HistoryError, match="the history went on") as caught:
        rollback(past.opened, NAME, to=2)
    assert "generation 3, rollback" in str(caught.value)
    assert past.locked.lock.pip[0].version == "1.0"


def test_a_journal_that_was_edited_stops_everything_and_says_how_to_go_on(
    cut_off: Past, tmp_path: Path
) -> None:
    past = copy(cut_off, tmp_path)
    journal = past.folder / FOLDER / JOURNAL
    whole = journal.read_bytes()
    journal.write_bytes(whole.replace(b'"requirements.txt"', b'"freeze.yaml"'))
    with pytest.raises(HistoryError, match="was edited") as caught:
        past.adopt()
    assert "remove that file" in str(caught.value)
    journal.unlink()
    past.adopt()
    assert verify(past.opened, NAME).faults == ()


def test_a_journal_from_another_time_is_not_carried_out(cut_off: Past, tmp_path: Path) -> None:
    past = copy(cut_off, tmp_path)
    journal = past.folder / FOLDER / JOURNAL
    whole = journal.read_bytes()
    journal.unlink()
    past.lock("3.0")
    journal.write_bytes(whole)
    before = tree(past.project)
    with pytest.raises(HistoryError, match="no longer fits"):
        past.adopt()
    assert tree(past.project) == before


def test_two_at_once_take_turns(two: Past, tmp_path: Path) -> None:
    past = copy(two, tmp_path)
    with exclusive_lock(past.opened, NAME):
        processes = [start(past) for _ in range(2)]
        for _, said in processes:  # both have decided what to go back from
            assert "waiting for it" in said.recv()
    ends = [end(*process) for process in processes]
    numbers = [one.number for one in history(past.opened, NAME).generations]
    assert numbers == [1, 2, 3], ends
    assert sorted(code for code, _ in ends) == [0, 1], ends
    assert any("the history went on" in said for _, said in ends)
    assert verify(past.opened, NAME).faults == ()

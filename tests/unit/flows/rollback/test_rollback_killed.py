"""A rollback that is killed has not happened, or is ended by whoever comes next; two take turns."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from freezer.errors import HistoryError
from freezer.flows.history.generations import history
from freezer.flows.history.log import log, verify
from freezer.flows.project.exclusive import exclusive_lock
from freezer.flows.rollback.rollback import rollback
from freezer.history.log import FOLDER
from freezer.history.switch import JOURNAL
from tests.support.host.commands import tree
from tests.support.project.histories import NAME, Past, make_past
from tests.support.project.records import lines

_ROOT = Path(__file__).parents[4]
_DEADLY = """
import os, signal, sys
from pathlib import Path
from tests.support.project.histories import NAME, Past
from freezer.flows.rollback.rollback import rollback

root, event, place = sys.argv[1:]
past = Past(Path(root))
past.engine_again()
past.ear.note = lambda text: print(text, flush=True)

def hook(name, arguments):
    at = arguments[1] if name == "os.rename" else arguments[0] if name == "os.remove" else b""
    if name == event and os.fsdecode(at).endswith(place):
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(hook)
done = rollback(past.opened, NAME)
print(done.done.number)
"""


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


def start(past: Past, event: str = "none", place: str = "none") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _DEADLY, str(past.root), event, place],
        env={"PYTHONPATH": str(_ROOT), "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def kill(past: Past, event: str, place: str) -> None:
    process = start(past, event, place)
    _, said = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, said


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
    two: Past, tmp_path: Path
) -> None:
    past = copy(two, tmp_path)
    kill(past, "os.rename", "demo/freeze.lock.yaml")
    with pytest.raises(HistoryError, match="the history went on") as caught:
        rollback(past.opened, NAME, to=2)
    assert "generation 3, rollback" in str(caught.value)
    assert past.locked.lock.pip[0].version == "1.0"


def test_a_journal_that_was_edited_stops_everything_and_says_how_to_go_on(
    two: Past, tmp_path: Path
) -> None:
    past = copy(two, tmp_path)
    kill(past, "os.rename", "demo/freeze.lock.yaml")
    journal = past.folder / FOLDER / JOURNAL
    whole = journal.read_bytes()
    journal.write_bytes(whole.replace(b'"requirements.txt"', b'"freeze.yaml"'))
    with pytest.raises(HistoryError, match="was edited") as caught:
        past.adopt()
    assert "remove that file" in str(caught.value)
    journal.unlink()
    past.adopt()
    assert verify(past.opened, NAME).faults == ()


def test_a_journal_from_another_time_is_not_carried_out(two: Past, tmp_path: Path) -> None:
    past = copy(two, tmp_path)
    kill(past, "os.rename", "demo/freeze.lock.yaml")
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
        for process in processes:  # both have decided what to go back from
            assert process.stdout is not None
            assert "waiting for it" in process.stdout.readline()
    said = [process.communicate(timeout=60) for process in processes]
    codes = sorted(process.returncode for process in processes)
    numbers = [one.number for one in history(past.opened, NAME).generations]
    assert numbers == [1, 2, 3], said
    assert codes == [0, 1], said
    assert any("the history went on" in err for _, err in said)
    assert verify(past.opened, NAME).faults == ()

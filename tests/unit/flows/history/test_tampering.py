"""Whatever is stored with a lock is compared with the history: before it is used, and by --verify."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freezer.check.reference import parse_reference, write_reference
from freezer.cli.main import run
from freezer.errors import CheckError, FreezerError, HistoryError, LockError
from freezer.flows.check.check import check
from freezer.flows.check.record import checked_entry
from freezer.flows.history.generations import history
from freezer.flows.history.log import verify
from freezer.flows.history.opened import open_history
from freezer.flows.rollback.rollback import rollback
from freezer.history.archive import archive_folder
from freezer.model.canonical import digest
from freezer.model.generation import Generation
from freezer.model.lock import SmokeFile
from freezer.model.record.verdict import Word
from tests.support.host.commands import tree
from tests.support.project.histories import NAME, Past, make_past
from tests.support.project.records import lines

CLASS = "x86-64-v4-skylakex"
REFERENCE = f"references/{CLASS}.json"
TRAINING = b"print('training')"
INVENTORY = b'{"image": "none"}\n'


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Past:
    """Return a project with files of every kind, all of them recorded; not to be changed."""
    past = make_past(tmp_path_factory.mktemp("made"))
    sha256 = past.opened.store.put_bytes(TRAINING)
    past.make("1.0")
    past.lock("2.0", SmokeFile(path="train.py", size=len(TRAINING), sha256=sha256))
    past.build()
    past.tell(*lines(loss=0.25))
    check(past.opened, NAME)
    kept = archive_folder(past.folder, past.locked.id)
    for folder in (kept, past.folder):
        (folder / "inventory.json").write_bytes(INVENTORY)
    with open_history(past.opened, NAME) as opened:
        head, reference = opened.past.head, (past.folder / REFERENCE).read_bytes()
        assert head is not None
        opened.add(
            checked_entry(
                past.opened, opened.past, head, past.reference(), Word.IDENTICAL,
                reference=digest(reference), inventory=digest(INVENTORY),
            )
        )  # fmt: skip
    runtime = past.folder / "inside" / digest(b"a runtime")
    runtime.parent.mkdir()
    runtime.write_bytes(b"a runtime")
    found = verify(past.opened, NAME)
    assert (found.faults, found.uncovered) == ((), ())
    return past


@pytest.fixture
def past(made: Past, tmp_path: Path) -> Past:
    shutil.copytree(made.root, tmp_path, dirs_exist_ok=True)
    copied = Past(tmp_path)
    copied.engine_again()
    return copied


def other_reference(past: Past, **changes: float) -> bytes:
    """Return a whole reference of the current lock with other numbers, as anyone can make one."""
    folder = past.root / "elsewhere"
    write_reference(folder, past.reference(lines(**changes)))
    return (folder / REFERENCE).read_bytes()


def edited(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n")


def deleted(path: Path) -> None:
    path.unlink()


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def link(path: Path) -> None:
    """Keep the bytes, but out of the tree, where no commit shows them."""
    project = next(one for one in path.parents if one.name == "project")
    target = path.rename(project.parent / f"moved-{path.name}")
    path.symlink_to(target)


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def extra(path: Path) -> None:
    path.with_name("extra.json").write_bytes(b"{}")


TAMPERINGS: list[Callable[[Path], None]] = [edited, deleted, folder, link, pipe, extra]
NEXT_TO_LOCK = ["freeze.lock.yaml", "requirements.txt", REFERENCE, "inventory.json"]
KEPT = [*NEXT_TO_LOCK, f"smoke/{digest(TRAINING)}"]
OTHERS = ["CHANGELOG.md", f"inside/{digest(b'a runtime')}", "history/generations.jsonl"]
PATHS = [*NEXT_TO_LOCK, *(f"history/KEPT/{one}" for one in KEPT), *OTHERS]
MAY_BE_GONE = {
    "CHANGELOG.md": "it follows from the entries, and is written anew",
    "inventory.json": "checks keep it in the history alone",
    f"history/KEPT/smoke/{digest(TRAINING)}": "the store may not have had it",
    f"inside/{digest(b'a runtime')}": "locks of early versions have none kept",
}


def place(past: Past, path: str) -> Path:
    return past.folder / path.replace("KEPT", past.locked.id)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("tamper", TAMPERINGS)
def test_verify_finds_it(past: Past, path: str, tamper: Callable[[Path], None]) -> None:
    target = place(past, path)
    tamper(target)
    found = verify(past.opened, NAME)
    if tamper is deleted and path in MAY_BE_GONE:
        assert found.faults == ()
        return
    named = "extra.json" if tamper is extra else target.name
    assert any(named in one for one in found.faults), found


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("tamper", TAMPERINGS)
def test_no_command_records_it(past: Past, path: str, tamper: Callable[[Path], None]) -> None:
    target = place(past, path)
    before = target.read_bytes()
    recorded = digest(before)
    tamper(target)
    for work in (past.adopt, past.check, past.adopt):
        try:
            work()
        except (FreezerError, OSError, AssertionError):  # the last where no lock can be read
            continue
    if target.is_file() and not target.is_symlink() and target.read_bytes() == before:
        return  # put back from the history
    written = b""
    if past.log_file.is_file():
        written = past.log_file.read_bytes()
    if tamper is edited and path != "freeze.lock.yaml":
        assert digest(before + b"\n").encode() not in written
    if path == REFERENCE:
        assert recorded.encode() in written


@pytest.mark.parametrize("folder_name", ["references", "history/KEPT", "history", "inside"])
def test_a_linked_folder_is_found(past: Past, folder_name: str) -> None:
    target = place(past, folder_name)
    moved = target.rename(past.root / "moved")
    target.symlink_to(moved)
    faults = verify(past.opened, NAME).faults
    assert any("a link instead of" in one for one in faults), faults


def test_a_lock_folder_that_leads_out_of_the_project_is_found(past: Past) -> None:
    moved = past.folder.rename(past.root / "moved")
    past.folder.symlink_to(moved)
    assert any("leads out" in one for one in verify(past.opened, NAME).faults)


def test_an_exchanged_reference_does_not_pass(past: Past) -> None:
    """With whole files of other numbers, which the training here gives."""
    past.tell(*lines(loss=0.5))
    (past.folder / REFERENCE).write_bytes(other_reference(past, loss=0.5))
    before = tree(past.project)
    with pytest.raises(HistoryError, match="not the one that the history recorded") as caught:
        check(past.opened, NAME)
    assert "--record" in str(caught.value)
    assert tree(past.project) == before
    past.adopt()
    assert "not the one that the history recorded" in past.ear.warnings[-1]
    (fault,) = verify(past.opened, NAME).faults
    assert REFERENCE in fault
    assert check(past.opened, NAME, record=True).recorded
    assert verify(past.opened, NAME).faults == ()


def test_a_deleted_reference_is_put_back_and_not_recorded_anew(past: Past) -> None:
    before = (past.folder / REFERENCE).read_bytes()
    (past.folder / REFERENCE).unlink()
    past.tell(*lines(loss=0.5))
    found = check(past.opened, NAME)
    assert (found.verdict.word, found.recorded) == (Word.DRIFTED, False)
    assert (past.folder / REFERENCE).read_bytes() == before
    assert any("put back from the history" in one for one in past.ear.notes)


def test_a_reference_that_is_gone_everywhere_is_missed(past: Past) -> None:
    (past.folder / REFERENCE).unlink()
    (archive_folder(past.folder, past.locked.id) / REFERENCE).unlink()
    with pytest.raises(HistoryError, match="is missing"):
        check(past.opened, NAME)


def test_a_reference_of_an_earlier_lock_gives_way_to_the_recorded_one(past: Past) -> None:
    first = history(past.opened, NAME).find(1)
    kept = (past.folder / REFERENCE).read_bytes()
    earlier = archive_folder(past.folder, first.lock_id) / REFERENCE
    shutil.copy(earlier, past.folder / REFERENCE)
    found = verify(past.opened, NAME)
    assert found.faults == ()
    assert any("belongs to an earlier lock" in one for one in found.uncovered)
    past.tell(*lines(loss=0.25))
    assert check(past.opened, NAME).verdict.word is Word.IDENTICAL
    assert (past.folder / REFERENCE).read_bytes() == kept
    past.place("1.0")
    past.adopt()
    assert parse_reference((past.folder / REFERENCE).read_bytes(), "x").lock_id == first.lock_id


def test_a_reference_of_another_class_or_lock_is_compared_too(past: Past) -> None:
    """References of other classes are shown, and those of an earlier lock help to find a cause."""
    first = history(past.opened, NAME).find(1)
    earlier = archive_folder(past.folder, first.lock_id) / REFERENCE
    document = json.loads(earlier.read_bytes())
    document["host"]["kernel"] = "9.9"
    document.pop("integrity")
    from freezer.model.canonical import json_bytes

    document["integrity"] = f"sha256:{digest(json_bytes(document))}"
    past.place("9.0")
    past.build()
    past.adopt()
    (past.folder / REFERENCE).write_bytes(json_bytes(document))
    with pytest.raises(HistoryError, match="not the one"):
        check(past.opened, NAME)


def test_an_edited_history_stops_a_check(past: Past) -> None:
    past.log_file.write_bytes(past.log_file.read_bytes().replace(b"first lock", b"First lock"))
    with pytest.raises(HistoryError):
        check(past.opened, NAME)


def test_a_rollback_does_not_take_a_tampered_inventory(past: Past) -> None:
    sha256 = past.locked.id
    past.lock("3.0")
    past.build()
    kept = archive_folder(past.folder, sha256) / "inventory.json"
    kept.write_bytes(b"{}")
    before = tree(past.project)
    with pytest.raises(HistoryError, match="was edited"):
        rollback(past.opened, NAME, to=2)
    assert tree(past.project) == before


@pytest.mark.parametrize("tamper", [folder, link, pipe])
def test_a_replaced_lock_is_not_read_for_ever(past: Past, tamper: Callable[[Path], None]) -> None:
    tamper(past.lock_file)
    assert verify(past.opened, NAME).faults
    if tamper is not link:
        with pytest.raises(LockError):
            _ = past.locked


def test_an_old_history_verifies_and_what_it_does_not_cover_is_named(
    past: Past, capsys: pytest.CaptureFixture[str]
) -> None:
    """Entries of early versions had neither files nor references nor inventories."""
    with open_history(past.opened, NAME) as opened:
        old = next(one for one in opened.past.entries if isinstance(one, Generation))
    bare = old.model_copy(update={"lock_id": past.locked.id, "files": {}, "parents": ()})
    shutil.rmtree(past.folder / "history")
    (past.folder / "CHANGELOG.md").unlink()
    from freezer.history.archive import keep
    from freezer.history.changelog import write_changelog
    from freezer.history.log import History, write_log

    keep(past.folder, past.locked.id, {"freeze.lock.yaml": past.lock_file.read_bytes()}, {})
    write_log(past.folder, History.of([bare]))
    write_changelog(past.folder, History.of([bare]), NAME)
    found = verify(past.opened, NAME)
    assert found.faults == ()
    names = {one.partition(": ")[0].removeprefix("lockfiles/demo/") for one in found.uncovered}
    assert names == {"requirements.txt", REFERENCE, "inventory.json"}
    assert run(["-C", str(past.project), "log", "--verify"]) == 0
    out = capsys.readouterr().out
    assert "what is recorded is untouched" in out
    assert "3 files not covered" in out
    assert run(["-C", str(past.project), "log", "--verify", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["uncovered"]) == 3
    (past.folder / REFERENCE).write_bytes(b"garbage")
    assert any(REFERENCE in one for one in verify(past.opened, NAME).faults)


SHIPPED = sorted((Path(__file__).parents[4] / "lockfiles").iterdir())


@pytest.mark.parametrize("source", SHIPPED, ids=lambda one: one.name)
def test_the_shipped_locks_verify(source: Path, tmp_path: Path) -> None:
    past = make_past(tmp_path)
    target = past.project / "lockfiles" / source.name
    shutil.copytree(source, target)
    before = tree(past.project)
    found = verify(past.opened, source.name)
    assert found.faults == ()
    assert tree(past.project) == before
    with open_history(past.opened, source.name) as opened:
        from freezer.flows.history.generations import adopt

        adopt(opened)
    after = tree(past.project)
    assert {path: after[path] for path in before} == before
    assert verify(past.opened, source.name).faults == ()


def every_file(past: Past) -> Iterator[Path]:
    yield from sorted(one for one in past.folder.rglob("*") if one.is_file())


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32).map(Random))
def test_any_tampering_with_any_file_is_found(
    made: Past, tmp_path_factory: pytest.TempPathFactory, chance: Random
) -> None:
    root = tmp_path_factory.mktemp("any")
    shutil.copytree(made.root / "project", root / "project")
    past = Past(root)
    target = chance.choice(list(every_file(past)))
    relative = str(target.relative_to(past.folder)).replace(past.locked.id, "KEPT")
    first = history(past.opened, NAME).find(1).lock_id
    tamper = chance.choice(TAMPERINGS)
    if tamper is edited:
        data = target.read_bytes()
        at = chance.randrange(len(data))
        target.write_bytes(
            data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]
        )
    else:
        tamper(target)
    try:
        found = verify(past.opened, NAME)
    except (CheckError, HistoryError) as error:
        pytest.fail(f"{relative}: {error}")
    gone = tamper is deleted and relative.replace(first, "KEPT") in MAY_BE_GONE
    assert found.faults or gone, (relative, tamper.__name__)
    shutil.rmtree(root)

"""`freeze check` of an environment: what it records, when, and what it says without an image."""

from __future__ import annotations

import errno
import io
from pathlib import Path

import pytest
from rich.console import Console

from freezer.check.assess import Assessment
from freezer.check.compare.compare import compare
from freezer.check.reference import read_reference, reference_path, references
from freezer.errors import CheckError, HistoryError, SpecError
from freezer.flows.check import check as flow
from freezer.flows.check.check import check, check_locked
from freezer.flows.check.record import record_check, said_before
from freezer.flows.check.result import CheckResult, Recording
from freezer.flows.check.run_training import smoke_runner
from freezer.flows.history.generations import history
from freezer.flows.project.environment import Locked
from freezer.model.canonical import digest
from freezer.model.lock import SmokeFile
from freezer.model.record.verdict import Basis, Word
from freezer.output.check.check import document, show
from tests.support.host.commands import tree
from tests.support.project.histories import NAME, Past, make_past
from tests.support.project.locks import make_lock
from tests.support.project.records import lines, record

CLASS = "x86-64-v4-skylakex"


@pytest.fixture
def past(tmp_path: Path) -> Past:
    """Return a project with a built lock that was never checked."""
    made = make_past(tmp_path)
    made.lock("1.0")
    made.build()
    return made


def losses(past: Past) -> list[str]:
    found = read_reference(reference_path(past.folder, CLASS), "r.json")
    assert found is not None
    return [one.value for one in found.trainings[0].observations if one.kind == "loss"]


def test_the_first_check_runs_twice_and_records(past: Past) -> None:
    done = check(past.opened, NAME)
    assert (done.verdict.word, done.by_two_runs, done.recorded) == (Word.IDENTICAL, True, True)
    assert done.reference == f"lockfiles/{NAME}/references/{CLASS}.json"
    assert len(past.held.runs) >= 2
    again = check(past.opened, NAME)
    assert (again.assessment.basis, again.recorded) == (Basis.REFERENCE, False)


@pytest.mark.parametrize(
    ("recording", "kept"),
    [
        (Recording.NEVER, False),
        (Recording.WHEN_MISSING, True),
        (Recording.ANEW, True),
    ],
)
def test_what_is_recorded_where_there_is_no_reference(
    past: Past, recording: Recording, kept: bool
) -> None:
    done = check_locked(past.opened, past.locked, recording=recording)
    assert (done.recorded, references(past.folder) == [CLASS]) == (kept, kept)


@pytest.mark.parametrize(
    ("recording", "word", "replaced"),
    [
        (Recording.NEVER, Word.DRIFTED, False),
        (Recording.WHEN_MISSING, Word.DRIFTED, False),
        (Recording.ANEW, Word.IDENTICAL, True),
    ],
)
def test_what_is_recorded_where_there_is_one(
    past: Past, recording: Recording, word: Word, replaced: bool
) -> None:
    check(past.opened, NAME)
    before = losses(past)
    past.tell(*lines(loss=0.25))
    done = check_locked(past.opened, past.locked, recording=recording)
    assert (done.verdict.word, done.recorded) == (word, replaced)
    assert (losses(past) != before) is replaced


def test_recording_anew_does_not_read_the_old_reference(past: Past) -> None:
    check(past.opened, NAME)
    path = reference_path(past.folder, CLASS)
    path.write_text("{")
    with pytest.raises(HistoryError, match="not the one that the history recorded"):
        check_locked(past.opened, past.locked)
    assert check_locked(past.opened, past.locked, recording=Recording.ANEW).recorded


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_losses_without_a_finite_one_are_not_recorded(past: Past, loss: float) -> None:
    told = [line for line in lines(loss=loss) if b'"step": 1' not in line]
    past.tell(*told)
    done = check(past.opened, NAME)
    assert (done.verdict.word, done.recorded) == (Word.FAILED, False)
    assert references(past.folder) == []
    [entry] = history(past.opened, NAME).verdicts(1)
    assert (entry.word, entry.reference) == (Word.FAILED, None)


def test_two_runs_that_differ_are_not_recorded(past: Past) -> None:
    run, numbers = past.held.run, iter((0.5, 0.25))

    def differing(*rest: object, **more: object) -> object:
        if more.get("on_stdout"):
            past.tell(*lines(loss=next(numbers)))
        return run(*rest, **more)  # type: ignore[arg-type]

    past.held.run = differing  # type: ignore[method-assign,assignment]
    done = check(past.opened, NAME)
    assert (done.verdict.word, done.by_two_runs, done.recorded) == (Word.DRIFTED, True, False)
    assert references(past.folder) == []


def test_a_check_that_says_nothing_new_leaves_the_history_as_it_is(past: Past) -> None:
    check(past.opened, NAME)
    before = tree(past.project)
    done = check(past.opened, NAME)
    assert tree(past.project) == before
    assert record_check(past.opened, past.locked, done.record, Word.IDENTICAL) is None
    entry = record_check(past.opened, past.locked, done.record, Word.DRIFTED)
    assert entry is not None
    assert (entry.word, entry.class_, entry.generation) == (Word.DRIFTED, CLASS, 1)
    known = history(past.opened, NAME)
    assert said_before(known, known.generations[-1], entry)


def test_a_history_that_cannot_be_written_is_a_warning(
    past: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    check(past.opened, NAME)
    past.tell(*lines(loss=0.25))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("freezer.history.log.write_atomically", full)
    done = check(past.opened, NAME)
    assert done.verdict.word is Word.DRIFTED
    assert any("the check is not in the history" in line for line in past.ear.warnings)


def test_without_an_image_it_says_how_to_build_one(past: Past) -> None:
    past.held.configs.clear()
    with pytest.raises(CheckError, match=f"`freeze build {NAME}`"):
        check(past.opened, NAME)
    with pytest.raises(SpecError, match="absent"):
        check(past.opened, "absent")


def test_what_the_output_needs_is_loaded_while_the_training_runs(past: Past) -> None:
    seen = []
    check_locked(past.opened, past.locked, preload=lambda: seen.append(len(past.held.runs)))
    assert seen  # called once, beside the training
    assert set(flow._LATER) >= {"freezer.check.assess", "freezer.flows.check.record"}


def test_an_inventory_that_cannot_be_taken_is_a_warning(past: Past) -> None:
    runner = smoke_runner(past.opened, past.locked.lock, past.locked.id, past.build())
    assert runner.inventory is None
    assert any("changed libraries cannot be named" in line for line in past.ear.warnings)
    found = runner.run("Training")
    assert (found.lock_id, found.host.engine) == (past.locked.id, "docker 1")


def test_a_kill_is_explained_by_the_memory_limit(past: Past) -> None:
    failed = b'::freezer:: {"training": "numpy", "kind": "failed", "value": "exit status -9\\nx"}'
    past.tell(*lines(end=False), failed)
    runner = smoke_runner(past.opened, past.locked.lock, past.locked.id, past.build())
    [training] = runner.run("Training").trainings
    assert "most likely out of memory; raise smoke.memory" in (training.failure or "")
    assert (training.failure or "").endswith("\nx")


SOURCE = b'import polars as pl\nf.lazy().group_by("k").agg(pl.col("v").sum()).collect()\n'


@pytest.mark.parametrize(
    ("basis", "repeats", "command", "named"),
    [
        (Basis.TWO_RUNS, None, ("python", "train.py"), True),
        (Basis.REFERENCE, False, ("python", "train.py"), True),
        (Basis.REFERENCE, True, ("python", "train.py"), False),
        (Basis.TWO_RUNS, None, (), False),
    ],
)
def test_a_measured_effect_that_fits_is_named_of_an_own_training_that_does_not_repeat(
    past: Past, basis: Basis, repeats: bool | None, command: tuple[str, ...], named: bool
) -> None:
    made = make_lock()
    file = SmokeFile(path="train.py", size=len(SOURCE), sha256=digest(SOURCE))
    past.opened.store.put_bytes(SOURCE)
    plan = made.smoke.model_copy(update={"command": command, "files": (file,)})
    polars = made.pip[0].model_copy(update={"name": "polars", "version": "2.1.0"})
    locked = Locked(make_lock(pip=(polars,), smoke=plan), "ab" * 32, past.folder)
    apart = compare(record(), record(lines(loss=0.6)))
    found = Assessment(
        record=record(), expected=record(), verdict=apart, basis=basis, repeats=repeats
    )
    causes = flow._measured(past.opened, locked, found)
    assert bool(causes) is named
    if named:
        assert causes[0].startswith("measured of polars 2.1.0, LazyFrame.group_by(...).agg(sum)")
        shown = CheckResult(
            locked=locked, image="i", assessment=found, reference="r.json", measured=causes
        )
        stream = io.StringIO()
        show(shown, Console(file=stream, width=200))
        text = stream.getvalue()
        assert text.index("measured of polars") < text.index(
            "does not repeat" if repeats is False else "numpy: "
        )
        assert document(shown)["measured"] == list(causes)

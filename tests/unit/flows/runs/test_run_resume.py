"""A run that continues from what another one left: verified, linked, and made again as it was."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from freezer.errors import LedgerError, RunError
from freezer.flows.runs.diff import diff
from freezer.flows.runs.ledger import project_ledger
from freezer.flows.runs.queries import get
from freezer.flows.runs.repeat.reproduce import reproduce
from freezer.flows.runs.repeat.resume import Resume, resume
from freezer.flows.runs.request import RunRequest
from freezer.flows.runs.run import RunDone
from freezer.inside.freezer_runner.resuming import resume_path
from freezer.ledger.record import change
from freezer.model.record.run import Digest

pytestmark = pytest.mark.process


def training(inside) -> int:
    """Count on from the checkpoint, if there is one."""
    before, seen = 0, inside.environment.get("FREEZER_RESUME")
    if seen:
        place = inside.folder(seen)
        place = place / "deep" / "count" if place.is_dir() else place
        before = int(place.read_text())
    output = inside.folder("/output")
    (output / "deep").mkdir()
    (output / "deep" / "count").write_text(str(before + 1))
    (output / "note").write_text(inside.environment.get("FREEZER_PARAM_LR", "none"))
    (output / "code").write_text((inside.folder("/code") / "train.py").read_text())
    return 0


@pytest.fixture
def first(runnable) -> RunDone:
    runnable.train(training)
    (runnable.project.root / "train.py").write_text("one")
    return runnable.run("train", "{lr}", params={"lr": "0.1"}, seed=7)


def go(runnable, how: Resume, command: tuple[str, ...] = (), **more) -> RunDone:
    request = RunRequest(command, **more)
    return resume(runnable.project, None, how, request, lambda _stream, _data: None)


def test_a_run_continues_with_everything_as_it_was(runnable, first: RunDone) -> None:
    (runnable.project.root / "train.py").write_text("two")
    done = go(runnable, Resume(first.run.id))
    assert (done.output / "deep" / "count").read_text() == "2"
    assert (done.output / "code").read_text() == "one", "the code of the first run"
    run = done.run
    assert (run.command, run.fields["seed"]) == (("train", "0.1"), 7)
    assert (run.fields["params.lr"], run.fields["given.lr"]) == (0.1, "0.1")
    assert (run.fields["resumed-from"], run.links["resumes"]) == (first.run.id, first.run.id)
    assert get(runnable.project, run.id)[0].fields["resumed-from"] == first.run.id
    newer = go(runnable, Resume(first.run.id, new_code=True))
    assert (newer.output / "code").read_text() == "two"


def test_what_is_given_changes_and_the_rest_stays(runnable, first: RunDone) -> None:
    done = go(runnable, Resume(first.run.id, "deep/count"), ("t", "{lr}"), params={"lr": "0.5"})
    assert (done.run.command, done.run.fields["seed"]) == (("t", "0.5"), 7)
    assert done.run.fields["resumed-from.path"] == "deep/count"
    [mount] = [one for one in runnable.made.held.runs[-1].mounts if "resume" in one.target]
    assert (mount.target, mount.read_only) == ("/resume/deep/count", True)
    environment = runnable.made.held.runs[-1].environment
    assert environment["FREEZER_RESUME"] == "/resume/deep/count"
    with pytest.raises(RunError, match="the command of the run cannot be reused") as raised:
        go(runnable, Resume(first.run.id), params={"lr": "0.5"})
    assert "it was: train {lr}" in str(raised.value.hint)
    with pytest.raises(RunError, match="seed changed"):
        go(runnable, Resume(first.run.id), seed=8)


@pytest.mark.parametrize("fault", ["changed", "missing", "not of this run"])
def test_changed_outputs_are_refused(runnable, first: RunDone, fault: str) -> None:
    place = first.output / "deep" / "count"
    if fault == "changed":
        place.write_text("9")
    elif fault == "missing":
        place.unlink()
    else:
        (first.output / "deep" / "new").write_text("x")
    before = len(runnable.made.held.runs)
    with pytest.raises(RunError, match="have changed") as raised:
        go(runnable, Resume(first.run.id))
    assert fault in str(raised.value)
    assert len(runnable.made.held.runs) == before


def test_missing_outputs_are_refused(runnable, first: RunDone) -> None:
    with pytest.raises(RunError, match="has no output 'none'"):
        go(runnable, Resume(first.run.id, "none"))
    shutil.rmtree(first.output)
    with pytest.raises(RunError, match="are not on this host"):
        go(runnable, Resume(first.run.id))
    with pytest.raises(LedgerError, match="there is no run"):
        go(runnable, Resume("zz"))


def test_a_killed_run_s_outputs_are_recorded_when_it_is_continued(runnable, first: RunDone) -> None:
    with project_ledger(runnable.project) as ledger:
        change(ledger, first.run.id, lambda run: replace(run, state="interrupted", outputs=()))
    done = go(runnable, Resume(first.run.id))
    assert (done.output / "deep" / "count").read_text() == "2"
    outputs = get(runnable.project, first.run.id)[0].outputs
    assert [one.path for one in outputs] == ["code", "deep/count", "note"]


def test_a_continued_run_is_reproduced_from_the_same_checkpoint(runnable, first: RunDone) -> None:
    done = go(runnable, Resume(first.run.id))
    again = reproduce(runnable.project, done.run.id, lambda _stream, _data: None)
    assert again.verdict == "identical"
    assert again.again.run.fields["resumed-from.digest"] == done.run.fields["resumed-from.digest"]
    other = runnable.run("train", "{lr}", params={"lr": "0.1"}, seed=7)
    causes = diff(runnable.project, done.run.id, other.run.id).causes
    assert [one.name for one in causes if one.level == "certain"] == ["resumed-from.digest"]
    (first.output / "note").write_text("other")
    with pytest.raises(RunError, match="have changed"):
        reproduce(runnable.project, done.run.id, lambda _stream, _data: None)
    with project_ledger(runnable.project) as ledger:
        moved = {**done.run.fields, "resumed-from.digest": Digest("ab" * 32)}
        change(ledger, done.run.id, lambda run: replace(run, fields=moved))
    (first.output / "note").write_text("0.1")
    with pytest.raises(RunError, match="continued from other outputs"):
        reproduce(runnable.project, done.run.id, lambda _stream, _data: None)


def test_resume_path_returns_the_checkpoint(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("FREEZER_RESUME", raising=False)
    assert resume_path() is None
    assert resume_path("model.pt") is None
    monkeypatch.setenv("FREEZER_RESUME", str(tmp_path))
    (tmp_path / "model.pt").write_text("x")
    assert (resume_path(), resume_path("model.pt")) == (str(tmp_path), str(tmp_path / "model.pt"))
    with pytest.raises(FileNotFoundError, match="left no 'other'"):
        resume_path("other")

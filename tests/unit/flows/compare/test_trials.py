"""Single trials of a bisection: what each comes to, what it costs, and what it leaves behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from freezer.errors import BusyError, EngineError, FetchError
from freezer.flows.compare import trials as module
from freezer.flows.compare.trials import Trials
from freezer.flows.history.generations import history
from freezer.flows.image.build import Built, image_tags
from freezer.flows.project.environment import Locked
from freezer.history.between import changes_between
from freezer.history.search import State
from freezer.model.lock import ImageRuntime, Lock
from freezer.model.record.verdict import Word
from tests.support.project.histories import NAME, Past, make_past
from tests.support.project.records import lines

RUNTIME = ImageRuntime(version="1", sha256="3" * 64)


@pytest.fixture
def past(tmp_path: Path) -> Past:
    """Return a project of two built generations."""
    made = make_past(tmp_path)
    made.make("1.0")
    made.make("2.0")
    return made


def begin(past: Past, *, keep: bool = False) -> Trials:
    expected = past.reference()
    return Trials(past.opened, expected, past.locked.lock.inside, keep=keep)


def try_generation(past: Past, trials: Trials, number: int) -> Any:
    known = history(past.opened, NAME)
    return trials.generation(NAME, known, known.find(number))


def locks(past: Past) -> tuple[Lock, Lock]:
    new = past.locked.lock
    [package] = new.pip
    return new.model_copy(update={"pip": (package.model_copy(update={"version": "1.0"}),)}), new


def built_by(
    past: Past, monkeypatch: pytest.MonkeyPatch, error: Exception | None = None
) -> list[str]:
    """Have builds give an image of the engine, or end in an error; return the locks they are of."""
    asked: list[str] = []

    def build_locked(_project: object, locked: Locked, *, latest: bool) -> Built:
        assert not latest
        asked.append(locked.id)
        if error is not None:
            raise error
        tag = image_tags(locked.lock, locked.id)[0]
        past.held.tags[tag] = past.build()
        return Built(locked, past.held.tags[tag], (tag,), True, 0, 0.0)

    monkeypatch.setattr(module, "build_locked", build_locked)
    return asked


def test_the_expected_results_are_good_and_others_bad(past: Past) -> None:
    with begin(past) as trials:
        good = try_generation(past, trials, 1)
        past.tell(*lines(loss=0.25))
        bad = try_generation(past, trials, 2)
        assert (good.state, good.summary) == (State.GOOD, "identical")
        assert (bad.state, bad.summary) == (State.BAD, "drifted, first in numpy: loss at step 2")
        assert trials.last_bad is bad
        assert trials.made == [good, bad]
        assert past.ear.notes[-1] == f"bad: generation 2: {bad.summary}"


def test_a_failed_training_is_neither(past: Past) -> None:
    past.tell(*lines(end=False))
    with begin(past) as trials:
        found = try_generation(past, trials, 1)
    assert (found.state, found.changes) == (State.SKIPPED, None)
    assert found.verdict.word is Word.FAILED
    assert "without reporting its end" in found.summary


def test_a_generation_is_tried_once(past: Past) -> None:
    with begin(past) as trials:
        first = try_generation(past, trials, 1)
        runs = len(past.held.runs)
        assert try_generation(past, trials, 1) is first
        assert len(past.held.runs) == runs


def test_another_runtime_is_replaced_by_that_of_all_trials(
    past: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = built_by(past, monkeypatch)
    other = RUNTIME.model_copy(update={"sha256": "4" * 64})
    with Trials(past.opened, past.reference(), other, keep=False) as trials:
        assert trials.with_runtime(past.locked.lock).inside == other
        try_generation(past, trials, 2)
    assert len(asked) == 1
    assert asked[0] != past.locked.id, "the generation's own lock names another runtime"


@pytest.mark.parametrize("keep", [False, True])
def test_images_of_locks_that_were_only_tried_are_removed(
    past: Past, monkeypatch: pytest.MonkeyPatch, keep: bool
) -> None:
    built_by(past, monkeypatch)
    monkeypatch.setattr(module, "unmet", lambda *_: None)
    old, new = locks(past)
    changes = changes_between(old, new)
    before = set(past.held.tags)
    with begin(past, keep=keep) as trials:
        trial = trials.changed(old, new, changes[:0])
        assert set(past.held.tags) - before
        assert trials.of(()) is trial
    assert bool(set(past.held.tags) - before) is keep


def test_packages_that_do_not_fit_together_cost_nothing(
    past: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = built_by(past, monkeypatch)
    monkeypatch.setattr(module, "unmet", lambda *_: "app needs numpy<2")
    old, new = locks(past)
    runs = len(past.held.runs)
    with begin(past) as trials:
        found = trials.changed(old, new, tuple(changes_between(old, new)))
    assert (found.state, found.summary, found.verdict) == (State.SKIPPED, "app needs numpy<2", None)
    assert (asked, len(past.held.runs)) == ([], runs)


def outcomes() -> Sequence[Any]:
    return [
        pytest.param(
            FetchError("gone", details=("a", "b", "c")), "gone; a; b", id="cannot be built"
        ),
        pytest.param(EngineError("no engine"), None, id="no engine"),
        pytest.param(BusyError("busy"), None, id="busy"),
    ]


@pytest.mark.parametrize(("error", "summary"), outcomes())
def test_only_what_the_next_trial_may_not_meet_is_passed_over(
    past: Past, monkeypatch: pytest.MonkeyPatch, error: Exception, summary: str | None
) -> None:
    built_by(past, monkeypatch, error)
    monkeypatch.setattr(module, "unmet", lambda *_: None)
    old, new = locks(past)
    with begin(past) as trials:
        if summary is None:
            with pytest.raises(type(error)):
                trials.changed(old, new, ())
        else:
            found = trials.changed(old, new, ())
            assert (found.state, found.summary) == (State.SKIPPED, summary)
            assert replace(found, seconds=0.0).verdict is None

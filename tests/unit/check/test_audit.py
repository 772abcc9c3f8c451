"""What a variation did, told from two records, and how it is said."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from freezer.check.audit.documented import Note
from freezer.check.audit.effects import Effect, effects
from freezer.check.audit.factors import Factor
from freezer.flows.check.audit import AuditResult
from freezer.flows.project.environment import Locked
from freezer.model.record.record import Record, Timing
from freezer.model.spec.spec import Accepted
from freezer.output.check.audit import document, show
from freezer.output.text import document as text_of
from tests.support.project.locks import make_lock
from tests.support.project.records import lines, record

FACTOR = Factor("race", "4 threads, once more", "use two", fault=True)
SETTING = {"OMP_NUM_THREADS": "4"}


def effect(*told: list[bytes], **host: Any) -> Effect:
    first, second = told
    (found,) = effects(FACTOR, record(first), record(second, **host))
    return found


def test_settings_that_read_back_as_they_were_set_are_no_effect() -> None:
    found = effect(lines(), lines(), settings=SETTING)
    assert (found.changes, found.bad, found.first, found.cost) == (False, False, None, 1.0)
    assert not effect(lines(), lines(seed="1234")).changes


def test_the_first_number_that_changes_is_named_with_its_distance() -> None:
    found = effect(lines(), lines(weight=1.0000001))
    assert found.changes
    assert found.bad
    assert found.first == "w1 at step 2"
    assert found.relative is not None
    assert 0 < found.relative < 1e-6
    assert (found.differing, found.mitigation) == (1, "use two")


def test_a_training_that_does_not_end_is_no_sameness() -> None:
    found = effect(lines(), lines(end=False))
    assert found.failure
    assert found.bad


def timed(seconds: float, *, processor: bool = False) -> Record:
    told = record()
    taken = {"start": 9.0, "training": 5.0 if processor else seconds}
    taken |= {"processor": seconds} if processor else {}
    timings = tuple(Timing(kind="timing", name=n, seconds=s) for n, s in taken.items())
    (training,) = told.trainings
    changed = training.model_copy(update={"timings": timings})
    return told.model_copy(update={"trainings": (changed,)})


@pytest.mark.parametrize(
    ("costs", "cost"),
    [("nothing", 1.0), ("as varied", 3.0), ("as locked", 0.33), ("unknown", None)],
)
def test_the_cost_of_a_mitigation_is_a_ratio_of_times_without_the_start(
    costs: Any, cost: float | None
) -> None:
    factor = Factor("x", "x", "x", costs=costs)
    (found,) = effects(factor, timed(2.0), timed(6.0))
    assert (found.time, found.cost) == (3.0, cost)
    (found,) = effects(factor, timed(2.0, processor=True), timed(6.0, processor=True))
    assert (found.time, found.cost) == (3.0, cost)  # by CPU time, not by what passed meanwhile


def test_only_the_trainings_that_were_varied_are_compared() -> None:
    both = record([*lines(), *lines("torch")])
    (found,) = effects(FACTOR, both, record(lines("torch")))
    assert (found.training, found.changes, found.failure) == ("torch", False, None)


def result(*found: Effect, accepted: tuple[Accepted, ...] = ()) -> AuditResult:
    locked = Locked(make_lock(), "1" * 64, Path("lockfiles/x"))
    known = Note("torch 2.13.0", "adds [in no] order", "switch it on", "https://example.org")
    return AuditResult(
        locked, f"sha256:{'2' * 64}", record(), (known,), found, ("libm",), accepted, 12.3
    )


def said(audit: AuditResult) -> str:
    stream = io.StringIO()
    show(audit, Console(file=stream, width=200))
    return stream.getvalue()


def test_what_does_not_repeat_is_bad_until_it_is_accepted() -> None:
    drifting = effect(lines(), lines(weight=2.0))
    assert not result(drifting).good
    assert "does not repeat" in said(result(drifting))
    accepted = Accepted(factor="race", reason="a parallel forest", date="2026-11-01")
    lived_with = result(drifting, accepted=(accepted,))
    assert lived_with.good
    assert "accepted on 2026-11-01: a parallel forest" in said(lived_with)
    assert document(lived_with)["open"] == []


def test_what_is_accepted_and_no_longer_there_is_said() -> None:
    accepted = Accepted(factor="race", reason="a forest", date="2026-11-01")
    text = said(result(effect(lines(), lines()), accepted=(accepted,)))
    assert "no longer found: race" in text
    assert "repeats" in text


def test_a_sensitivity_is_no_fault() -> None:
    (found,) = effects(
        Factor("threads-1", "1 thread", "fixed"), record(), record(lines(weight=2.0))
    )
    assert result(found).good
    text = said(result(found))
    assert "1 thread: fixed" in text
    assert "no time was left for: libm" in text
    assert "adds [in no] order" in text
    assert json.loads(text_of(document(result(found))))["good"] is True

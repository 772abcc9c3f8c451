"""Which factors an audit has time for, and in which order it takes them."""

from __future__ import annotations

import io
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from freezer.check.audit.factors import factors
from freezer.check.smoke import Varied
from freezer.flows.check import audit as flow
from freezer.flows.project.environment import Locked
from freezer.inside.freezer_inside.record import Recorder
from tests.support.project.locks import make_lock
from tests.support.project.records import lines, record

LOCK = make_lock()
TITLES = [factor.title for factor in factors(LOCK)]


def _late(seconds: float) -> bytes:
    """Return what `freezer_inside.smoke` tells of a training that it ended."""
    stream = io.StringIO()
    Recorder("numpy", stream).failed(f"it did not end within {seconds:.0f} seconds")
    return stream.getvalue().strip().encode()


@dataclass
class Host:
    """A host on which the first run takes some seconds, and each one after it others."""

    first: float
    later: float
    now: float = 0.0
    hanging: str = ""
    """The title of a factor under which the training comes to no end."""

    def run(self, title: str, varied: Varied | None = None) -> Any:
        if varied is None:
            self.now += self.first
            return record(lines())
        assert varied.limit is not None
        if self.hanging and title.endswith(self.hanging):
            self.now += varied.limit
            return record([*lines(end=False), _late(varied.limit)])
        self.now += self.later
        return record(lines())

    def audit(self, patch: pytest.MonkeyPatch, tmp_path: Any, budget: float) -> flow.AuditResult:
        locked = Locked(LOCK, "0" * 64, tmp_path)
        patch.setattr(flow, "load_current_lock", lambda *_: locked)
        patch.setattr(flow, "verified_image", lambda *_: SimpleNamespace(id="sha256:1"))
        patch.setattr(flow, "_accepted", lambda *_: ())
        patch.setattr(flow, "smoke_runner", lambda *_: self)
        patch.setattr(flow, "monotonic", lambda: self.now)
        project: Any = SimpleNamespace(root=tmp_path)
        return flow.audit(project, None, budget=budget)


def reached(result: flow.AuditResult) -> list[str]:
    return list(dict.fromkeys(item.title for item in result.effects))


def test_with_time_for_all_nothing_is_left_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    result = Host(2, 2).audit(monkeypatch, tmp_path, 2.0 * len(TITLES) + 2)
    assert (reached(result), result.skipped) == (TITLES, ())


def test_what_there_is_no_time_for_is_named_and_comes_last(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    result = Host(2, 2).audit(monkeypatch, tmp_path, 9)
    assert reached(result) == TITLES[:3]
    assert list(result.skipped) == TITLES[3:]
    assert result.seconds <= 9


def test_a_slow_first_run_does_not_decide_what_the_others_take(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    result = Host(20, 2).audit(monkeypatch, tmp_path, 40)
    assert (reached(result), result.skipped) == (TITLES, ())


def test_a_factor_whose_other_run_was_left_out_is_left_out_as_well(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    result = Host(1, 1).audit(monkeypatch, tmp_path, 3)
    assert "4 threads, once more" in result.skipped
    assert len(reached(result)) == 2


def test_one_that_hangs_takes_no_time_of_the_others_and_is_no_failure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    host = Host(2, 2, hanging=TITLES[1])
    result = host.audit(monkeypatch, tmp_path, 120)
    rest = [title for title in reached(result) if title != TITLES[1]]
    assert rest == reached(result)
    assert TITLES[-1] in rest
    assert f"{TITLES[1]}, which did not end in 15 s" in result.skipped
    assert result.good


def test_one_that_hangs_is_cut_off_when_the_time_is_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    budget = 2 * len(TITLES) + 6
    result = Host(2, 2, hanging=TITLES[-1]).audit(monkeypatch, tmp_path, budget)
    assert result.seconds == budget
    assert reached(result) == TITLES[:-1]
    assert result.skipped == (f"{TITLES[-1]}, which did not end in 6 s",)


def test_a_slow_training_gets_more_patience(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    result = Host(10, 10, hanging=TITLES[-1]).audit(monkeypatch, tmp_path, 1000)
    assert result.skipped == (f"{TITLES[-1]}, which did not end in 40 s",)

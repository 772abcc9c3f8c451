"""The clock of records goes on when somebody sets the host's clock back."""

from __future__ import annotations

import time

import pytest

from freezer.flows.support.clock import now_micros


def test_it_is_the_time_of_day() -> None:
    assert abs(now_micros() - time.time_ns() // 1000) < 5_000_000


def test_a_clock_that_is_set_back_changes_no_duration(monkeypatch: pytest.MonkeyPatch) -> None:
    before = now_micros()
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    monkeypatch.setattr(time, "time", lambda: 0.0)
    after = now_micros()
    assert before <= after < before + 60_000_000

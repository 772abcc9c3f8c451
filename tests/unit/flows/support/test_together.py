"""Several things at once: results in order, one error for all, nothing that goes on behind it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from freezer.flows.support.concurrency import at_once

Tell = Callable[[int], None]


def test_results_come_in_the_order_of_the_items() -> None:
    def work(item: int, tell: Tell) -> int:
        time.sleep(0.01 * (5 - item))
        tell(item)
        return item * 2

    told: list[int] = []
    assert at_once(work, range(5), told.append) == [0, 2, 4, 6, 8]
    assert sorted(told) == list(range(5))


def test_the_first_error_stops_what_is_under_way() -> None:
    begun = threading.Event()
    ended: list[str] = []

    def work(item: str, tell: Tell) -> None:
        if item == "bad":
            begun.wait(60)
            raise ValueError(item)
        begun.set()
        try:
            while True:
                tell(1)
                time.sleep(0.001)
        finally:
            ended.append(item)

    with pytest.raises(ValueError, match="bad"):
        at_once(work, ["endless", "bad"])
    assert ended == ["endless"]


def test_what_waits_never_begins_after_an_error() -> None:
    seen: list[int] = []

    def work(item: int, tell: Tell) -> None:
        seen.append(item)
        if item == 0:
            raise ValueError(item)
        time.sleep(0.05)

    with pytest.raises(ValueError, match="0"):
        at_once(work, range(100))
    assert len(seen) < 50


def test_nothing_to_do_is_done() -> None:
    assert at_once(lambda item, tell: item, []) == []

"""A task's time is its own, and all of them add up."""

import pytest

from freezer.flows.support import stopwatch
from freezer.flows.support.stopwatch import OTHER, Stopwatch
from freezer.model.events import SilentReporter


class Clock:
    """A clock that stands still until it is told to go on."""

    now = 0.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(stopwatch, "time", made)
    return made


def test_time_inside_a_task_is_not_counted_twice(clock):
    watch = Stopwatch(SilentReporter())
    clock.now += 1
    with watch.task("Building 3 things") as task:
        task.advance()
        clock.now += 2
        with watch.task("Loading"):
            clock.now += 5
    assert watch.shares() == {"Building things": 2, "Loading": 5, OTHER: 1}


def test_equal_titles_are_one_row():
    watch = Stopwatch(SilentReporter())
    for count in (1, 2):
        with watch.task(f"Linking {count} packages"):
            pass
    assert "Linking packages" in watch.shares()
    watch.note("passed on")
    watch.warn("passed on")
    watch.debug("passed on")

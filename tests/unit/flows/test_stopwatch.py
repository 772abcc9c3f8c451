"""A task's time is its own, and all of them add up."""

import time

from freezer.flows.stopwatch import OTHER, Stopwatch
from freezer.model.events import SilentReporter


def test_time_inside_a_task_is_not_counted_twice():
    watch = Stopwatch(SilentReporter())
    with watch.task("Building 3 things") as task:
        task.advance()
        time.sleep(0.02)
        with watch.task("Loading"):
            time.sleep(0.05)
    shares = watch.shares()
    assert set(shares) == {"Building things", "Loading", OTHER}
    assert shares["Loading"] >= 0.05
    assert shares["Building things"] < 0.05


def test_equal_titles_are_one_row():
    watch = Stopwatch(SilentReporter())
    for count in (1, 2):
        with watch.task(f"Linking {count} packages"):
            pass
    assert "Linking packages" in watch.shares()
    watch.note("passed on")
    watch.warn("passed on")
    watch.debug("passed on")

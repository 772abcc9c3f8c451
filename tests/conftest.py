"""What holds for all tests."""

from __future__ import annotations

import signal

from coverage import Coverage
from hypothesis import settings

# How long an example takes is the machine's. The same commit tries the same examples, so that a
# failure is the commit's; `--hypothesis-profile random` and `make fuzz` look for new ones.
settings.register_profile("freezer", deadline=None, derandomize=True)
settings.register_profile("quick", deadline=None, derandomize=True, max_examples=20)
settings.register_profile("random", deadline=None)
settings.load_profile("freezer")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts its background jobs so; commands that tests interrupt would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)

if (measured := Coverage.current()) is not None:
    measured.switch_context("tests")  # not in the processes that they start, which load no conftest


def pytest_sessionfinish() -> None:
    """Save what was measured now: a worker that takes long to end is killed by xdist."""
    if measured is not None:
        measured.save()

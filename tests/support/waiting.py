"""Waiting in tests: until something holds, however busy the machine is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SOON = 60.0
"""Seconds within which whatever does not hang has happened, on a busy machine too."""
LATE = 600.0
"""Seconds that something takes which must not be waited for."""


def wait_until(holds: Callable[[], object], what: str, pause: float = 0.02) -> None:
    """Return as soon as a condition holds; fail after `SOON`."""
    limit = time.monotonic() + SOON
    while not holds():
        assert time.monotonic() < limit, f"in {SOON:.0f} s not reached: {what}"
        time.sleep(pause)


@contextmanager
def ends_soon() -> Iterator[None]:
    """Fail if a block takes as long as what it must not wait for."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < SOON

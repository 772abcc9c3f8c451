"""The time of day for records: durations are right even if somebody sets the host's clock."""

from __future__ import annotations

import time
from typing import Final

_ELAPSED: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""A clock that nobody can set. Linux has one that counts a suspended host's time as well."""
_START: Final = time.time_ns() - time.clock_gettime_ns(_ELAPSED)


def now_micros() -> int:
    """Return the time in microseconds since 1970.

    The host's clock is read once in a process: what ended later has a later time.
    """
    return (_START + time.clock_gettime_ns(_ELAPSED)) // 1000

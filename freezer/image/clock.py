"""Timestamps in an image: the image's own, and those of its packages.

The image's config has the lock's ``as-of``. A package's files have the package's build time (at
most ``as-of``), so that a layer stays the same when only ``as-of`` changes.
"""

from __future__ import annotations

import calendar
from datetime import datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

EARLIEST: Final = 315_532_800
"""1980-01-01: the earliest time of a zip archive; also that of folders without files."""


def epoch(as_of: str) -> int:
    """Return seconds since 1970-01-01 UTC of a time such as ``2026-11-01T00:00:00Z``."""
    return int(datetime.fromisoformat(as_of).timestamp())


def zip_moment(times: Iterable[tuple[int, int, int, int, int, int]], latest: int) -> int:
    """Return the newest of a zip archive's times (as UTC), at most ``latest``."""
    found = max((_seconds(time) for time in times), default=EARLIEST)
    return min(max(found, EARLIEST), latest)


def _seconds(time: tuple[int, int, int, int, int, int]) -> int:
    try:
        return calendar.timegm((*time, 0, 0, 0))
    except (ValueError, OverflowError):
        return EARLIEST  # a zip may have an invalid date

"""The clocks of an image: its own, and those of the packages in it.

The image's config says the lock's ``as-of``. A package's files say when the package was made (never
later than that), so that a layer stays the same when only the lock's moment moves.
"""

from __future__ import annotations

import calendar
from datetime import datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

EARLIEST: Final = 315_532_800
"""1980-01-01: the first moment that a zip archive can name; also the clock of bare folders."""


def epoch(as_of: str) -> int:
    """Return seconds since 1970-01-01 UTC of a moment such as ``2026-11-01T00:00:00Z``."""
    return int(datetime.fromisoformat(as_of).timestamp())


def zip_moment(times: Iterable[tuple[int, int, int, int, int, int]], latest: int) -> int:
    """Return the newest of a zip archive's times (taken as UTC), at most ``latest``."""
    found = max((_seconds(time) for time in times), default=EARLIEST)
    return min(max(found, EARLIEST), latest)


def _seconds(time: tuple[int, int, int, int, int, int]) -> int:
    try:
        return calendar.timegm((*time, 0, 0, 0))
    except (ValueError, OverflowError):
        return EARLIEST  # a zip may name the 31st of February

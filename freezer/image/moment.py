"""The image's clock: the lock's ``as-of`` in the forms that layers and configs want."""

from __future__ import annotations

from datetime import datetime


def epoch(as_of: str) -> int:
    """Return seconds since 1970-01-01 UTC of a moment such as ``2026-11-01T00:00:00Z``."""
    return int(datetime.fromisoformat(as_of).timestamp())

"""The revision of a ledger's tables; known without loading SQLAlchemy."""

from __future__ import annotations

from typing import Final

REVISION: Final = "0001"
"""The newest revision in ``migrations/versions``."""

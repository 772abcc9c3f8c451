"""Progress that counts each byte once, however often it is transferred."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class ProgressMark:
    """The progress of one file."""

    def __init__(self, advance: Callable[[int], None]) -> None:
        self._advance = advance
        self._told = 0

    def reach(self, position: int) -> None:
        """Report that all bytes before ``position`` are done."""
        if position > self._told:
            self._advance(position - self._told)
            self._told = position

"""Limit how much decompression may produce: a few bytes of an archive can become terabytes."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

RATIO = 100
"""Unpacked bytes for each packed one, beyond an allowance. Genuine packages stay below 30."""


class Bounded:
    """A stream to read once that gives up when it has given more than it may."""

    def __init__(self, stream: IO[bytes], limit: int, refuse: Callable[[int], Exception]) -> None:
        """``limit`` is in bytes; ``refuse`` makes the error that reading beyond it raises."""
        self._stream, self._left, self._limit, self._refuse = stream, limit, limit, refuse

    def read(self, size: int = -1) -> bytes:
        """Return at most ``size`` bytes, fewer only at the end."""
        data = self._stream.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise self._refuse(self._limit)
        return data

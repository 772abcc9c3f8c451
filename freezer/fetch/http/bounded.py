"""Bounds decompression: a few bytes of an archive may unpack to terabytes."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

RATIO = 100
"""Maximum compression ratio, beyond an allowance. Genuine packages are below 30."""


class Bounded:
    """A stream that raises an error beyond a maximum number of bytes."""

    def __init__(self, stream: IO[bytes], limit: int, refuse: Callable[[int], Exception]) -> None:
        """``limit`` is in bytes; ``refuse`` returns the error to raise beyond it."""
        self._stream, self._left, self._limit, self._refuse = stream, limit, limit, refuse

    def read(self, size: int = -1) -> bytes:
        """Return at most ``size`` bytes, fewer only at the end."""
        data = self._stream.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise self._refuse(self._limit)
        return data

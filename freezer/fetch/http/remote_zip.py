"""A zip archive on a server, read by ranges: its member list, and selected members.

Ranges cannot be verified against the archive's hash. The result is informative, and never becomes
part of an image.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from freezer.fetch.http.client import get_range

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import WriteableBuffer

_TAIL = 1 << 17
"""Bytes at the end that are read first: they contain the whole list of most archives."""
_BLOCK = 1 << 18


class RangeFile(io.RawIOBase):
    """A seekable file over range requests. Raises ``FetchError`` when reading."""

    def __init__(
        self, url: str, size: int, read: Callable[[str, int, int], bytes] = get_range
    ) -> None:
        super().__init__()
        self._url, self._size, self._read_range = url, size, read
        self._position = 0
        self._held = b""
        self._held_from = size

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Set the position, without a request."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Read from the position, with a request unless the bytes are buffered."""
        view = memoryview(buffer).cast("B")
        data = self._bytes(self._position, min(self._position + len(view), self._size))
        view[: len(data)] = data
        self._position += len(data)
        return len(data)

    def _bytes(self, start: int, end: int) -> bytes:
        if start >= end:
            return b""
        if not self._holds(start, end):
            # One request for a block, or for the whole tail, instead of many for a few bytes.
            first = start if start < self._size - _TAIL else max(0, self._size - _TAIL)
            last = min(self._size, max(end, start + _BLOCK))
            self._held = self._read_range(self._url, min(first, start), last)
            self._held_from = min(first, start)
        return self._held[start - self._held_from : end - self._held_from]

    def _holds(self, start: int, end: int) -> bool:
        return self._held_from <= start and end <= self._held_from + len(self._held)

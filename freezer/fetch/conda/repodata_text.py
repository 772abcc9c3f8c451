"""Unpacks an index on its way to the store, and edits one field in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import zstandard

from freezer.errors import FetchError
from freezer.fetch.http.redact import redact

if TYPE_CHECKING:
    from collections.abc import Callable

_LARGEST = 4 << 30
"""Maximum unpacked bytes; the largest public index has about a tenth."""
_INDEXED = b'"indexed_timestamp"'
_HIDDEN = b'"indexed-timestamp"'
_CARRY = len(_INDEXED) - 1


class IndexText:
    """Receives an index in blocks and passes its text on.

    The time when a channel was indexed is masked: solvers would compare it with the cut-off instead
    of a package's build time, and nothing in a freshly indexed channel would be old enough. The
    length stays the same, so the format is intact.
    """

    def __init__(self, write: Callable[[bytes], object], *, packed: bool, shown: str) -> None:
        self._write = write
        self._shown = shown
        self._packed = packed
        self._unpacker = zstandard.ZstdDecompressor().decompressobj() if packed else None
        self._tail = b""
        self._size = 0
        self._last = b""

    def feed(self, block: bytes) -> None:
        """Process a block. Raises ``FetchError`` for data that is not an index."""
        try:
            while block:
                block = self._unpack(block)
        except zstandard.ZstdError as error:
            raise self._unreadable(str(error)) from error

    def close(self) -> None:
        """Finish. Raises ``FetchError`` when the index is incomplete."""
        if self._unpacker is not None and not self._unpacker.eof:
            raise self._unreadable("it is truncated")
        self._hand_on(self._tail)
        if not self._last.rstrip().endswith(b"}"):
            raise self._unreadable("it is not a JSON object" if self._size else "it is empty")

    def _unpack(self, block: bytes) -> bytes:
        """Process one block; return the rest of it when a frame ended within it."""
        if self._unpacker is None:
            self._text(block)
            return b""
        if self._unpacker.eof:
            self._unpacker = zstandard.ZstdDecompressor().decompressobj()
        self._text(self._unpacker.decompress(block))
        return self._unpacker.unused_data if self._unpacker.eof else b""

    def _text(self, text: bytes) -> None:
        if self._size == 0 and text and not text.lstrip().startswith(b"{"):
            raise self._unreadable(f"it begins with {text[:20]!r}")
        self._size += len(text)
        if self._size > _LARGEST:
            raise self._unreadable(f"it unpacks to more than {_LARGEST} bytes")
        text = (self._tail + text).replace(_INDEXED, _HIDDEN)
        self._tail = text[-_CARRY:]
        self._hand_on(text[:-_CARRY])

    def _hand_on(self, text: bytes) -> None:
        if text:
            self._last = text[-64:]
            self._write(text)

    def _unreadable(self, found: str) -> FetchError:
        return FetchError(
            f"{redact(self._shown)} is not the index of a conda channel",
            found=found,
            hint="check the channel's address in a browser; a proxy or a login page may answer",
        )

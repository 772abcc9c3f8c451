"""Reads the output that hosts capture: frames of stream, time and bytes. Pure but for the file."""

from __future__ import annotations

import hashlib
import os
from typing import IO, TYPE_CHECKING, Final, NamedTuple

from freezer.inside.freezer_host.capture import HEADER, LONGEST
from freezer.model.record.run import LATEST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BLOCK: Final = 1 << 20


class Frame(NamedTuple):
    """What a container wrote at once."""

    stream: int
    """1 or 2."""
    micros: int
    """Since 1970."""
    data: bytes


def _opened(path: Path) -> IO[bytes]:
    """Open a file of the spool folder: no link, and no pipe that would be waited for."""
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")


class FrameReader:
    """Reads a file of frames from where it stopped before, while it is being written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held = bytearray()
        self._read = 0
        self._digest = hashlib.sha256()
        self.damaged = False
        """Whether something that is no frame was found; nothing after it is read."""

    @property
    def size(self) -> int:
        """Bytes of the complete frames so far."""
        return self._read - len(self._held)

    @property
    def sha256(self) -> str:
        """The digest of everything that was read."""
        return self._digest.hexdigest()

    def frames(self) -> Iterator[Frame]:
        """Yield the complete frames that were added since; none where there is no file yet.

        What is appended meanwhile is left to the next call: a file that grows faster than it is
        read would have no end.
        """
        try:
            with _opened(self._path) as stream:
                left = os.fstat(stream.fileno()).st_size - self._read
                stream.seek(self._read)
                while left > 0 and not self.damaged:
                    block = stream.read(min(left, _BLOCK))
                    if not block:  # it was cut meanwhile
                        return
                    left -= len(block)
                    self._read += len(block)
                    self._digest.update(block)
                    self._held += block
                    yield from self._complete()
        except OSError:
            return

    def _complete(self) -> Iterator[Frame]:
        start, held = 0, self._held
        while len(held) - start >= HEADER.size:
            stream, micros, length = HEADER.unpack_from(held, start)
            if stream not in {1, 2} or length > LONGEST or micros > LATEST:
                self.damaged = True
                break
            end = start + HEADER.size + length
            if len(held) < end:
                break
            yield Frame(stream, micros, bytes(held[start + HEADER.size : end]))
            start = end
        del held[:start]

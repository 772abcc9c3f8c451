"""Description of a format of output files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

Parts = Iterator[tuple[str, bytes]]
"""Named parts of a file's content, over which the digest is computed, in order."""


class NotThisFormatError(ValueError):
    """A file that cannot be read as the detected format; its bytes are compared instead."""


@dataclass(frozen=True)
class Format:
    """A format whose files may have different bytes for the same content."""

    name: str
    applies: Callable[[str, bytes], bool]
    """Detects the format by a file's name and first 512 bytes."""
    parts: Callable[[BinaryIO], Parts]
    """Raises ``NotThisFormatError`` for another format, or a corrupt file."""
    hides: str
    """What is left out of the comparison, as it differs between equal runs."""
    measured: str
    """The library and version with which that was measured."""


LARGEST_WHOLE: Final = 1 << 30
"""Maximum bytes of a file that is read at once."""


def whole(stream: BinaryIO) -> bytes:
    """Return all bytes of a file. Raises ``NotThisFormatError`` for more than 1 GiB."""
    data = stream.read(LARGEST_WHOLE + 1)
    if len(data) > LARGEST_WHOLE:
        message = "more than 1 GiB"
        raise NotThisFormatError(message)
    return data

"""What is known of one format of output files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

Parts = Iterator[tuple[str, bytes]]
"""A file's content in parts, each with a name: what the digest is taken over, in this order."""


class NotThisFormatError(ValueError):
    """A file looks like a format, and is not one that can be read: its bytes are compared."""


@dataclass(frozen=True)
class Format:
    """A format whose files may have other bytes for the same content."""

    name: str
    applies: Callable[[str, bytes], bool]
    """Whether a file is of it, by its name and its first 512 bytes."""
    parts: Callable[[BinaryIO], Parts]
    """Raises ``NotThisFormatError`` for a file that is none, or is corrupt."""
    hides: str
    """What is left out of the comparison, and why it differs between equal runs."""
    measured: str
    """With which library and version that was seen."""


LARGEST_WHOLE: Final = 1 << 30
"""Bytes of a file that is read whole."""


def whole(stream: BinaryIO) -> bytes:
    """Return all bytes of a file. Raises ``NotThisFormatError`` for more than 1 GiB."""
    data = stream.read(LARGEST_WHOLE + 1)
    if len(data) > LARGEST_WHOLE:
        message = "more than 1 GiB"
        raise NotThisFormatError(message)
    return data

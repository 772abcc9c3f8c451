"""What is known of one format of output files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

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

"""DuckDB's database files: their bytes without the identifier that each file gets at random."""

from __future__ import annotations

import hashlib
from typing import BinaryIO, Final

from freezer.check.artifacts.description import Format, NotThisFormatError, Parts

_HEADER: Final = 4096
_CHECKSUM: Final = slice(0, 8)
_IDENTIFIER: Final = slice(124, 140)
_BLOCK: Final = 1 << 20


def _duckdb(stream: BinaryIO) -> Parts:
    """Yield the main header without identifier and checksum, then the SHA-256 of all blocks."""
    header = bytearray(stream.read(_HEADER))
    if len(header) != _HEADER:
        message = "the header is cut short"
        raise NotThisFormatError(message)
    for part in (_CHECKSUM, _IDENTIFIER):
        header[part] = bytes(part.stop - part.start)
    yield "header", bytes(header)
    hasher = hashlib.sha256()
    while block := stream.read(_BLOCK):
        hasher.update(block)
    yield "blocks", hasher.digest()


FORMATS: Final = (
    Format(
        "duckdb",
        lambda _name, head: head[8:12] == b"DUCK",
        _duckdb,
        "the random identifier of the database, and the main header's checksum",
        "duckdb 2.0.1: the same statements in a new file",
    ),
)

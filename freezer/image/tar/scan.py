"""Scans tars written by `freezer.image.tar.canonical`: names and offsets of members only.

``tarfile`` creates an object of a dozen fields for every member, which takes 100 microseconds; a
large environment has 30,000 members and is read more than once.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, NamedTuple

from freezer.errors import IntegrityError
from freezer.image.tar.canonical import BLOCK

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAGIC = slice(257, 262)
_KINDS = {b"0": "file", b"1": "hardlink", b"2": "symlink", b"5": "dir"}
_EMPTY = bytes(BLOCK)


class Member(NamedTuple):
    """A member of an archive."""

    path: str
    """Relative, without a final slash."""
    kind: str
    offset: int
    """Offset of its data, in bytes."""
    size: int


def scan(stream: IO[bytes]) -> Iterator[Member]:
    """Yield the members of a seekable archive in order, with or without its end blocks.

    Only archives by `freezer.image.tar.canonical` are supported. Raises ``IntegrityError`` for all
    others.
    """
    try:
        yield from _members(stream)
    except (ValueError, LookupError, OverflowError) as error:
        raise IntegrityError(
            "a chunk in the store is corrupt", found=f"a broken header ({error})"
        ) from error


def _members(stream: IO[bytes]) -> Iterator[Member]:
    offset, extended = 0, {}
    while True:
        stream.seek(offset)
        block = stream.read(BLOCK)
        if block in (b"", _EMPTY):
            return
        if len(block) < BLOCK or block[_MAGIC] != b"ustar":
            raise IntegrityError("a chunk in the store is corrupt", found=repr(block[:8]))
        kind, size, begins = block[156:157], _octal(block[124:136]), offset + BLOCK
        if kind == b"x":
            extended = _records(stream.read(size))
        else:
            size = int(extended.get("size", size))
            path = extended.get("path") or block[:100].rstrip(b"\0").decode()
            yield Member(path.rstrip("/"), _KINDS[kind], begins, size)
            extended = {}
        offset = begins + size + -size % BLOCK


def _octal(field: bytes) -> int:
    return int(field.rstrip(b"\0 "), 8)


def _records(data: bytes) -> dict[str, str]:
    found = {}
    while data:
        length = int(data[: data.index(b" ")])
        key, _, value = data[:length].partition(b" ")[2].partition(b"=")
        found[key.decode()] = value[:-1].decode("utf-8", "surrogateescape")
        data = data[length:]
    return found

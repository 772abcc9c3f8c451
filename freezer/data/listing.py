"""Serialises the list of a data set's members, to compare later states with it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from freezer.data.entry import Member
from freezer.data.tree import quoted_all
from freezer.errors import IntegrityError, Where

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LARGEST: Final = 1 << 30
"""Bytes of an unpacked list: some ten million members."""
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


def listing_bytes(members: Sequence[Member]) -> bytes:
    """Return a list as bytes: a JSON array a line, compressed; the same members, the same bytes."""
    paths = quoted_all([member.path for member in members])
    text = "".join(
        [
            f'[{path}, "{kind}", {size}, "{sha256}"]\n'
            for path, (_, kind, size, sha256) in zip(paths, members, strict=True)
        ]
    )
    import zstandard  # an untouched set needs none

    return zstandard.ZstdCompressor(level=3).compress(text.encode())


def read_listing(data: bytes, name: str) -> list[Member]:
    """Return the members of a list. Raises ``IntegrityError`` for anything else."""
    return list(_members(data, name))


def _members(data: bytes, name: str) -> Iterator[Member]:
    import zstandard

    try:
        reader = zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(data)
        text = reader.read(LARGEST + 1)
    except (zstandard.ZstdError, MemoryError) as error:
        raise _broken(name, None, str(error)) from None
    if len(text) > LARGEST:
        raise _broken(name, None, f"more than {LARGEST} bytes")
    for number, line in enumerate(text.splitlines(), 1):
        try:
            item = json.loads(line)
        except (ValueError, RecursionError):
            raise _broken(name, number, "no JSON") from None
        if not _fits(item):
            raise _broken(name, number, line[:80].decode(errors="replace"))
        yield Member(*item)


def _fits(item: Any) -> bool:
    return (
        isinstance(item, list)
        and len(item) == 4
        and isinstance(item[0], str)
        and item[1] in ("f", "l", "d")
        and type(item[2]) is int
        and item[2] >= 0
        and isinstance(item[3], str)
        and _SHA256.fullmatch(item[3]) is not None
    )


def _broken(name: str, line: int | None, found: str) -> IntegrityError:
    return IntegrityError(
        "this is not the list of a data set's files",
        where=Where(name, line),
        found=found,
        expected='lines such as ["a.csv", "f", 12, "SHA256"]',
    )

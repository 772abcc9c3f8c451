"""Caches digests of files by path, inode, size and times.

The cache is keyed by a set's root on this host. A file is hashed again if any of these differs, or
if it changed so shortly before it was hashed that a later change could have left the same times
(git calls such an index entry racily clean).
"""

from __future__ import annotations

import json
import struct
from array import array
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from operator import sub
from typing import TYPE_CHECKING, Final

from freezer.data.entry import CTIME, NUMBERS

if TYPE_CHECKING:
    from collections.abc import Collection

    from freezer.data.entry import Found
    from freezer.fetch.store.store import Store

FORMAT: Final = 2
"""Raise this when the rules for digests or the format of the cache change."""
SLACK: Final = 2_000_000_000
"""Nanoseconds; at least the time resolution of any file system in use (FAT: 2 s)."""
_SUMMARY: Final = "data-set"
_FILES: Final = "data-files"
_HEAD: Final = struct.Struct("=3q")
"""Of the file digests: `FORMAT`, how many files, and bytes of all paths."""
_DIGITS: Final = 64
"""Of a SHA-256."""


@dataclass(frozen=True)
class Cached:
    """The result of the last hashing of a set on this host."""

    digest: str
    signature: str
    """Over the times, sizes, inodes and paths of all members: see `Found.signature`."""
    settled: bool
    """Whether every file was old enough, when hashed, for its times to reveal changes."""
    members: int
    size: int
    """Bytes of all files."""
    listing: str
    """SHA-256 of the list of members in the store."""


@dataclass
class FileDigests:
    """Digests of single files as columns, with the state of each file when it was read."""

    paths: list[str] = field(default_factory=list)
    numbers: array[int] = field(default_factory=lambda: array("q"))
    """`NUMBERS` of each file."""
    digests: list[str] = field(default_factory=list)
    hashed: array[int] = field(default_factory=lambda: array("q"))
    """When each was hashed, in nanoseconds since 1970."""

    @property
    def settled(self) -> bool:
        """Whether a later change of any file would be visible in its times."""
        return max(map(sub, self.numbers[CTIME::NUMBERS], self.hashed), default=-SLACK - 1) < -SLACK

    def of(self, found: Found) -> FileDigests:
        """Return the cached digest of each member of a walk; empty if there is none."""
        count = len(found.paths)
        if not self.paths:
            return FileDigests(found.paths, found.numbers, [""] * count, array("q", [0]) * count)
        places = dict(zip(self.paths, range(len(self.paths)), strict=True))
        digests, hashed = [], array("q")
        for at, path in enumerate(found.paths):
            old = places.get(path, -1)
            now = found.numbers[at * NUMBERS : at * NUMBERS + NUMBERS]
            same = old >= 0 and self.numbers[old * NUMBERS : old * NUMBERS + NUMBERS] == now
            fresh = same and now[CTIME] + SLACK < self.hashed[old]
            digests.append(self.digests[old] if fresh else "")
            hashed.append(self.hashed[old] if fresh else 0)
        return FileDigests(found.paths, found.numbers, digests, hashed)

    def without(self, places: Collection[int]) -> FileDigests:
        """Return the same without the members at some places: those that are not files."""
        if not places:
            return self
        rest = [at for at in range(len(self.paths)) if at not in places]
        numbers = array("q")
        for at in rest:
            numbers.extend(self.numbers[at * NUMBERS : at * NUMBERS + NUMBERS])
        return FileDigests(
            [self.paths[at] for at in rest],
            numbers,
            [self.digests[at] for at in rest],
            array("q", [self.hashed[at] for at in rest]),
        )


def read_summary(store: Store, key: str) -> Cached | None:
    """Return the cached result of a set; None if there is none that can be used."""
    document = store.get_memo(_SUMMARY, key)
    if not isinstance(document, dict) or document.pop("format", None) != FORMAT:
        return None
    try:
        found = Cached(**document)
    except TypeError:
        return None
    texts = (found.digest, found.signature, found.listing)
    numbers = (found.members, found.size)
    fits = all(isinstance(one, str) for one in texts) and all(type(one) is int for one in numbers)
    return found if fits and isinstance(found.settled, bool) else None


def write_summary(store: Store, key: str, cached: Cached) -> None:
    """Cache the result of hashing a set."""
    store.put_memo(_SUMMARY, key, {"format": FORMAT, **cached.__dict__})


def read_files(store: Store, key: str) -> FileDigests:
    """Return the cached digests of a set's files; empty if they cannot be used."""
    data = store.get_packed_memo(_FILES, key)
    try:
        return FileDigests() if data is None else _unpacked(data)
    except (ValueError, struct.error):
        return FileDigests()


def write_files(store: Store, key: str, known: FileDigests) -> None:
    """Cache the digests of a set's files: the columns one after the other."""
    paths = "\0".join(known.paths).encode()
    parts = (
        _HEAD.pack(FORMAT, len(known.paths), len(paths)),
        paths,
        known.numbers.tobytes(),
        known.hashed.tobytes(),
        bytes.fromhex("".join(known.digests)),
    )
    store.put_packed_memo(_FILES, key, b"".join(parts))


def key_of(root: str, pattern: str | None) -> str:
    """Return the cache key of a set on this host."""
    return json.dumps([root, pattern])


def _unpacked(data: bytes) -> FileDigests:
    """Return the columns in a memo. Raises ``ValueError`` and ``struct.error`` for others."""
    form, count, length = _HEAD.unpack_from(data)
    ends = list(accumulate((_HEAD.size, length, count * NUMBERS * 8, count * 8, count * 32)))
    if form != FORMAT or ends[-1] != len(data):
        raise ValueError(form)
    paths, numbers, hashed, digests = (data[slice(*pair)] for pair in pairwise(ends))
    joined = digests.hex()
    return FileDigests(
        paths.decode().split("\0") if count else [],
        array("q", numbers),
        [joined[at : at + _DIGITS] for at in range(0, len(joined), _DIGITS)],
        array("q", hashed),
    )

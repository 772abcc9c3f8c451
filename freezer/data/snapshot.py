"""The current state of a data set: digest and members, hashing only what changed."""

from __future__ import annotations

import hashlib
import time
from array import array
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING

from freezer.data import cache
from freezer.data.cache import Cached
from freezer.data.entry import NUMBERS, SIZE, Member
from freezer.data.tree import EMPTY, set_digest
from freezer.data.walk import walk

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from freezer.data.entry import Found
    from freezer.fetch.store.store import Store
    from freezer.model.events import Reporter


@dataclass(frozen=True)
class Snapshot:
    """A data set as it is."""

    name: str
    root: str
    pattern: str | None
    digest: str
    """``sha256:`` and 64 digits: see `freezer.data.tree`."""
    members: int
    size: int
    """Bytes of all files."""
    hashed: int
    """Files that were read; all others are known to be unchanged."""
    listing: str
    """SHA-256 of the list of members, in the store."""


def snapshot(
    name: str,
    root: Path,
    pattern: str | None,
    *,
    store: Store,
    report: Reporter,
    reread: bool = False,
) -> Snapshot:
    """Return the state of a data set.

    ``reread`` hashes every file again, also known ones. Raises ``DataError``.
    """
    started = time.time_ns()
    key = cache.key_of(str(root), pattern)
    found = walk(root, pattern, name)
    known = None if reread else cache.read_summary(store, key)
    untouched = known is not None and known.signature == found.signature() and known.settled
    if known and untouched and store.has(known.listing):
        return _snapshot(name, root, pattern, known, 0)
    files = (cache.FileDigests() if reread else cache.read_files(store, key)).of(found)
    needed = [at for at, one in enumerate(files.digests) if not one and at not in found.others]
    folder = root if root.is_dir() else root.parent
    _read(name, folder, files, needed, started, report)
    found.numbers = files.numbers  # as read: a file may have been replaced since the walk
    members = _members(found, files.digests)
    files = files.without(found.others)
    from freezer.data.listing import listing_bytes

    cached = Cached(
        digest=set_digest(members, single=root.is_file()),
        signature=found.signature(),
        settled=files.settled,
        members=len(members),
        size=sum(found.sizes),
        listing=store.put_bytes(listing_bytes(members)),
    )
    cache.write_files(store, key, files)
    cache.write_summary(store, key, cached)
    return _snapshot(name, root, pattern, cached, len(needed))


def _read(
    name: str,
    folder: Path,
    files: cache.FileDigests,
    needed: Sequence[int],
    started: int,
    report: Reporter,
) -> None:
    """Hash the files at these places, and store the results there."""
    from freezer.data.hashing import hash_paths  # an unchanged set needs no workers

    paths = [files.paths[at] for at in needed]
    sizes = [files.numbers[at * NUMBERS + SIZE] for at in needed]
    with report.task(f"Hashing data set {name}", total=sum(sizes), unit="bytes") as task:
        read = hash_paths(folder, paths, sizes, task, name=name)
    if len(needed) == len(files.paths):
        files.numbers, files.digests = read.numbers, read.digests
        files.hashed = array("q", [started]) * len(needed)
        return
    for place, at in enumerate(needed):
        files.digests[at], files.hashed[at] = read.digests[place], started
        old, new = at * NUMBERS, place * NUMBERS
        files.numbers[old : old + NUMBERS] = read.numbers[new : new + NUMBERS]


def members_of(snapshot: Snapshot, store: Store) -> list[Member]:
    """Return the members of a snapshot from the store. Raises ``IntegrityError``."""
    from freezer.data.listing import read_listing

    return read_listing(store.verified(snapshot.listing).read_bytes(), f"list of {snapshot.name}")


def _snapshot(name: str, root: Path, pattern: str | None, cached: Cached, hashed: int) -> Snapshot:
    return Snapshot(
        name=name,
        root=str(root),
        pattern=pattern,
        digest=cached.digest,
        members=cached.members,
        size=cached.size,
        hashed=hashed,
        listing=cached.listing,
    )


def _members(found: Found, digests: Sequence[str]) -> list[Member]:
    files = zip(found.paths, repeat("f"), found.sizes, digests)
    made = list(map(Member._make, files))
    for at, (kind, target) in found.others.items():
        sha256 = EMPTY if kind == "d" else hashlib.sha256(target.encode()).hexdigest()
        made[at] = Member(found.paths[at], kind, 0, sha256)
    return made

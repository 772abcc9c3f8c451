"""The state of a data set now: its digest and its members, hashed only where something changed."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.data import cache
from freezer.data.cache import Cached
from freezer.data.entry import Member
from freezer.data.hashing import hash_files
from freezer.data.listing import listing_bytes, read_listing
from freezer.data.tree import EMPTY, set_digest
from freezer.data.walk import walk

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from freezer.data.entry import Stat
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
    """Files that were read for it; the others are known to be untouched."""
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
    found = walk(root, pattern, name)
    signed = cache.signature(found)
    key = cache.key_of(str(root), pattern)
    known = None if reread else cache.read_summary(store, key)
    if known and known.signature == signed and known.settled and store.has(known.listing):
        return _snapshot(name, root, pattern, known, 0)
    digests = cache.FileDigests() if reread else cache.read_files(store, key)
    needed = [one for one in found if one.kind == "f" and digests.get(one) is None]
    total = sum(one.size for one in needed)
    folder = root if root.is_dir() else root.parent
    with report.task(f"Hashing data set {name}", total=total, unit="bytes") as task:
        read = hash_files(folder, needed, task, name=name)
    kept = cache.FileDigests()
    for one in found:
        if one.kind == "f":
            state, sha256 = read.get(one.path) or (one, str(digests.get(one)))
            kept.put(state, sha256, started if one.path in read else digests.known[one.path][5])
    members = _members(found, kept)
    # A file may have been replaced between the walk and its reading: what was read counts.
    signed = cache.signature([read.get(one.path, (one,))[0] for one in found])
    cached = Cached(
        digest=set_digest(members, single=root.is_file()),
        signature=signed,
        settled=kept.settled,
        members=len(members),
        size=sum(member.size for member in members),
        listing=store.put_bytes(listing_bytes(members)),
    )
    cache.write_files(store, key, kept)
    cache.write_summary(store, key, cached)
    return _snapshot(name, root, pattern, cached, len(needed))


def members_of(snapshot: Snapshot, store: Store) -> list[Member]:
    """Return the members of a snapshot from the store. Raises ``IntegrityError``."""
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


def _members(found: Sequence[Stat], digests: cache.FileDigests) -> list[Member]:
    known = digests.known
    members = []
    for one in found:
        if one.kind == "f":
            size, _, _, _, sha256, _ = known[one.path]
            members.append(Member(one.path, "f", size, sha256))
        elif one.kind == "l":
            sha256 = hashlib.sha256(one.target.encode()).hexdigest()
            members.append(Member(one.path, "l", 0, sha256))
        else:
            members.append(Member(one.path, "d", 0, EMPTY))
    return members

"""What was hashed before: digests of files by path, inode, size and times.

Kept by a set's root on this host. A file is hashed again when any of these differs, and when it was
changed so shortly before it was hashed that a later change could have left the same times behind
(git calls such an index entry racily clean).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.data.entry import Stat
    from freezer.fetch.store.store import Store

FORMAT: Final = 1
"""Raised when digests are made by other rules, or kept in another form."""
SLACK: Final = 2_000_000_000
"""Nanoseconds: more than the clock of any file system in use is coarse (FAT: 2 s)."""
_SUMMARY: Final = "data-set"
_FILES: Final = "data-files"


@dataclass(frozen=True)
class Cached:
    """The last time that a set was hashed on this host."""

    digest: str
    signature: str
    """Over the times, sizes, inodes and paths of all members: see `signature`."""
    settled: bool
    """Whether each file was old enough, when it was hashed, for its times to tell of changes."""
    members: int
    size: int
    """Bytes of all files."""
    listing: str
    """SHA-256 of the list of members in the store."""


@dataclass
class FileDigests:
    """Digests of single files, with what each file was when it was read."""

    known: dict[str, list[Any]] = field(default_factory=dict)
    """By path: size, inode, mtime, ctime, SHA-256, and the moment of hashing."""

    def get(self, file: Stat) -> str | None:
        """Return a file's digest if it is untouched since; else None."""
        kept = self.known.get(file.path)
        if kept is None or kept[:4] != [file.size, file.inode, file.mtime, file.ctime]:
            return None
        return str(kept[4]) if file.ctime + SLACK < kept[5] else None

    @property
    def settled(self) -> bool:
        """Whether a later change of any file would show in its times."""
        return all(item[3] + SLACK < item[5] for item in self.known.values())

    def put(self, file: Stat, sha256: str, hashed_at: int) -> None:
        """Keep a file's digest."""
        self.known[file.path] = [
            file.size, file.inode, file.mtime, file.ctime, sha256, hashed_at,
        ]  # fmt: skip


def signature(members: Sequence[Stat]) -> str:
    """Return a digest over what the file system says of all members.

    Equal signatures mean an untouched set; it costs a fraction of what the walk costs.
    """
    lines = [
        f"{kind}{size} {inode} {mtime} {ctime} {path}\0{target}"
        for path, kind, size, inode, mtime, ctime, target in members
    ]
    return hashlib.sha256("\0\0".join(lines).encode()).hexdigest()


def read_summary(store: Store, key: str) -> Cached | None:
    """Return what is kept of a set; None when there is nothing that can be used."""
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
    """Keep the outcome of hashing a set."""
    store.put_memo(_SUMMARY, key, {"format": FORMAT, **cached.__dict__})


def read_files(store: Store, key: str) -> FileDigests:
    """Return the digests of a set's files; none where they cannot be used."""
    document = store.get_memo(_FILES, key)
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        return FileDigests()
    known: Any = document.get("files")
    return FileDigests(known) if _fits(known) else FileDigests()


def write_files(store: Store, key: str, digests: FileDigests) -> None:
    """Keep the digests of a set's files."""
    store.put_memo(_FILES, key, {"format": FORMAT, "files": digests.known})


def key_of(root: str, pattern: str | None) -> str:
    """Return the name under which a set is kept on this host."""
    return json.dumps([root, pattern])


def _fits(known: Any) -> bool:
    return isinstance(known, dict) and all(
        isinstance(item, list)
        and len(item) == 6
        and isinstance(item[4], str)
        and all(type(one) is int for one in (*item[:4], item[5]))
        for item in known.values()
    )

"""The members of a data set: as a walk finds them, and as they are recorded once hashed."""

from __future__ import annotations

import hashlib
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

Kind = Literal["f", "l", "d"]
"""A file, a symbolic link within the set, or a folder that is empty."""
NUMBERS: Final = 5
"""Numbers of each member: mode, size, inode, modification time, change time."""
SIZE: Final = 1
CTIME: Final = 4
"""Which of the numbers."""
_WRAP: Final = 1 << 64


class Stat(NamedTuple):
    """A file as the file system describes it."""

    path: str
    """Relative to a root, with ``/`` between folders."""
    kind: Kind
    size: int
    """Bytes."""
    inode: int
    mtime: int
    """Modification time in nanoseconds since 1970."""
    ctime: int
    """Change time in nanoseconds since 1970: unlike ``mtime``, no program can set it back."""


class Member(NamedTuple):
    """A member of a data set by content."""

    path: str
    kind: Kind
    size: int
    sha256: str
    """Of a file's bytes, or of a link's target; for an empty folder the digest of no members."""


@dataclass
class Found:
    """The result of a walk, as columns: objects for a million files would take too long."""

    paths: list[str] = field(default_factory=list)
    """Relative to the set's root, with ``/`` between folders."""
    numbers: array[int] = field(default_factory=lambda: array("q"))
    """`NUMBERS` of each member, times in nanoseconds; zeros for a folder, size 0 for a link."""
    others: dict[int, tuple[Kind, str]] = field(default_factory=dict)
    """Members that are not files, by place: the kind, and the target of a link."""

    @property
    def sizes(self) -> array[int]:
        """Bytes of each member."""
        return self.numbers[SIZE::NUMBERS]

    @property
    def ctimes(self) -> array[int]:
        """Change time of each member, in nanoseconds since 1970."""
        return self.numbers[CTIME::NUMBERS]

    def signature(self) -> str:
        """Return a digest over the file system's metadata of all members.

        Equal signatures mean an untouched set.
        """
        paths = "\0".join(self.paths).encode()
        others = repr(sorted(self.others.items())).encode()
        hasher = hashlib.sha256(b"%d %d %d\n" % (len(self.paths), len(paths), len(others)))
        for part in (paths, others, self.numbers):
            hasher.update(part)
        return hasher.hexdigest()


def signed_64(numbers: Iterable[int]) -> array[int]:
    """Return numbers as 64-bit integers; some file systems have inodes beyond the signed ones."""
    listed = list(numbers)
    try:
        return array("q", listed)
    except OverflowError:
        return array("q", [(one + _WRAP // 2) % _WRAP - _WRAP // 2 for one in listed])

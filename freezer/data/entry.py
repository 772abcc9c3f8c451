"""The files of a data set: what a walk finds, and what is kept of each once it is hashed."""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal["f", "l", "d"]
"""A file, a symbolic link within the set, or a folder that is empty."""


class Stat(NamedTuple):
    """A member of a data set as the file system describes it; nothing is read yet."""

    path: str
    """Relative to the set's root, with ``/`` between folders."""
    kind: Kind
    size: int
    """Bytes; of a link 0."""
    inode: int
    mtime: int
    """Modification time in nanoseconds since 1970."""
    ctime: int
    """Change time in nanoseconds since 1970: unlike ``mtime``, no program can set it back."""
    target: str = ""
    """What a link points to."""


class Member(NamedTuple):
    """A member of a data set by content."""

    path: str
    kind: Kind
    size: int
    sha256: str
    """Of a file's bytes, or of a link's target; for an empty folder the digest of no members."""

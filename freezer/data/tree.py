"""One digest over a data set: a Merkle tree of its folders. Pure.

A folder's digest is the SHA-256 of a line for each child, sorted by name::

    f SHA256 SIZE "name"        a file, by the SHA-256 of its bytes
    l SHA256 0 "name"           a link, by the SHA-256 of its target's text
    d SHA256 0 "name"           a folder, by this same rule

Names are JSON strings, so that no name can look like two lines. Times, owners and modes do not
enter: a copy on another host has the same digest. A set that is a single file has the digest of
its bytes, as ``sha256sum`` prints it.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from freezer.data.entry import Member

EMPTY = hashlib.sha256().hexdigest()
"""The digest of a folder without members."""


def set_digest(members: Sequence[Member], *, single: bool) -> str:
    """Return ``sha256:`` and the digest of a data set.

    ``single`` is true for one file that is no folder.
    """
    if single:
        [only] = members
        return f"sha256:{only.sha256}"
    return f"sha256:{_folder(members)}"


def _folder(members: Iterable[Member]) -> str:
    """Return the digest of a tree; members come folder by folder, each sorted by name."""
    # One hash for each open folder, from the top down: a set of any depth takes no recursion.
    lines: list[list[tuple[str, str]]] = [[]]
    names: list[str] = []
    for member in members:
        *folders, name = member.path.split("/")
        while names != folders[: len(names)]:
            _close(lines, names)
        for folder in folders[len(names) :]:
            names.append(folder)
            lines.append([])
        lines[-1].append((name, f"{member.kind} {member.sha256} {member.size}"))
    while names:
        _close(lines, names)
    return _digest(lines[0])


def _close(lines: list[list[tuple[str, str]]], names: list[str]) -> None:
    digest = _digest(lines.pop())
    lines[-1].append((names.pop(), f"d {digest} 0"))


def _digest(children: list[tuple[str, str]]) -> str:
    text = "".join(f"{line} {quoted(name)}\n" for name, line in sorted(children))
    return hashlib.sha256(text.encode()).hexdigest()


def quoted(name: str) -> str:
    """Return a name as a JSON string of ASCII characters."""
    plain = name.isascii() and name.isprintable() and '"' not in name and "\\" not in name
    return f'"{name}"' if plain else json.dumps(name)

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
    above = ""
    for path, kind, size, sha256 in members:
        folder, _, name = path.rpartition("/")
        if folder != above:
            _enter(folder.split("/") if folder else [], lines, names)
            above = folder
        lines[-1].append((name, f"{kind} {sha256} {size}"))
    _enter([], lines, names)
    return _digest(lines[0])


def _enter(folders: list[str], lines: list[list[tuple[str, str]]], names: list[str]) -> None:
    """Close the open folders that another one is not in, and open those above it."""
    while names != folders[: len(names)]:
        _close(lines, names)
    for folder in folders[len(names) :]:
        names.append(folder)
        lines.append([])


def _close(lines: list[list[tuple[str, str]]], names: list[str]) -> None:
    digest = _digest(lines.pop())
    lines[-1].append((names.pop(), f"d {digest} 0"))


def _digest(children: list[tuple[str, str]]) -> str:
    children.sort()
    quotes = quoted_all([name for name, _ in children])
    text = "".join([f"{line} {name}\n" for (_, line), name in zip(children, quotes, strict=True)])
    return hashlib.sha256(text.encode()).hexdigest()


def quoted_all(names: Sequence[str]) -> list[str]:
    """Return names as JSON strings of ASCII characters."""
    if _is_plain("".join(names)):
        return [f'"{name}"' for name in names]
    return [quoted(name) for name in names]


def quoted(name: str) -> str:
    """Return a name as a JSON string of ASCII characters."""
    return f'"{name}"' if _is_plain(name) else json.dumps(name)


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and '"' not in text and "\\" not in text

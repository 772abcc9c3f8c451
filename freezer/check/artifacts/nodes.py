"""A tree of plain nodes that stands for objects, and its digest."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Final

_UNORDERED: Final = ("set", "frozenset")
"""The order of a set is that of hashes, which are other ones in each process."""


@dataclass(eq=False, slots=True)
class Node:
    """One object: its kind, what it is made of, and its own bytes."""

    kind: str
    parts: list[Node] = field(default_factory=list)
    data: bytes = b""


def atom(kind: str, text: str) -> Node:
    """Return a node without parts."""
    return Node(kind, data=text.encode("utf-8", "surrogatepass"))


def tree_digest(root: Node) -> bytes:
    """Return the SHA-256 of a tree: equal trees, equal digests, regardless of sharing within them.

    Each node is hashed once, without recursion. An object that holds itself is named there by how
    far above it is.
    """
    known: dict[int, bytes] = {}
    path: dict[int, int] = {}
    waiting = [root]
    while waiting:
        node = waiting[-1]
        if id(node) in known:
            waiting.pop()
        elif id(node) not in path:
            path[id(node)] = len(path)
            waiting += [one for one in node.parts if id(one) not in known and id(one) not in path]
        else:
            waiting.pop()
            known[id(node)] = _digest(node, known, path)
            del path[id(node)]
    return known[id(root)]


def _digest(node: Node, known: dict[int, bytes], path: dict[int, int]) -> bytes:
    hasher = hashlib.sha256(f"{node.kind} {len(node.data)} {len(node.parts)}\n".encode())
    hasher.update(node.data)
    depth = path[id(node)]
    parts = [
        known.get(id(one)) or hashlib.sha256(f"up {depth - path[id(one)]}".encode()).digest()
        for one in node.parts
    ]
    for part in sorted(parts) if node.kind in _UNORDERED else parts:
        hasher.update(part)
    return hasher.digest()

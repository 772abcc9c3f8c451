"""The inventory of an OCFL object: https://ocfl.io/1.1/spec/#inventory, read without trust."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

INVENTORY: Final = "inventory.json"
SIDECAR: Final = "inventory.json.sha256"
TYPE: Final = "https://ocfl.io/1.1/spec/#inventory"
LARGEST: Final = 256 << 20
"""Bytes of an inventory."""
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_VERSION: Final = re.compile(r"v[1-9]\d{0,8}")


@dataclass(frozen=True)
class Version:
    """One state of an object."""

    created: str
    message: str
    state: Mapping[str, str]
    """Logical path to SHA-256."""


@dataclass(frozen=True)
class Inventory:
    """What an object holds, by version."""

    id: str
    manifest: Mapping[str, str]
    """SHA-256 to the content path that has it, relative to the object."""
    versions: tuple[Version, ...] = field(default=())
    """Oldest first: ``v1``, ``v2`` and so on."""

    @cached_property
    def paths(self) -> frozenset[str]:
        """The content paths of all files."""
        return frozenset(self.manifest.values())

    @property
    def head(self) -> str:
        """Return the name of the newest version; ``v0`` where there is none."""
        return f"v{len(self.versions)}"

    def data(self) -> bytes:
        """Return the bytes of the file."""
        document = {
            "digestAlgorithm": "sha256",
            "head": self.head,
            "id": self.id,
            "manifest": {digest: [path] for digest, path in self.manifest.items()},
            "type": TYPE,
            "versions": {
                f"v{number}": {
                    "created": one.created,
                    "message": one.message,
                    "state": _by_digest(one.state),
                    "user": {"name": "freeze archive"},
                }
                for number, one in enumerate(self.versions, 1)
            },
        }
        return (json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def sidecar(data: bytes) -> bytes:
    """Return the file beside an inventory that has its digest."""
    return f"{hashlib.sha256(data).hexdigest()} {INVENTORY}\n".encode()


def parse_inventory(data: bytes) -> Inventory:
    """Return the inventory in a file's bytes. Raises ``ValueError`` saying why not."""
    document = json.loads(data)
    if not isinstance(document, dict) or document.get("type") != TYPE:
        raise ValueError(f"not an inventory of type {TYPE}")
    if document.get("digestAlgorithm") != "sha256":
        raise ValueError("digests are not SHA-256")
    manifest = {
        digest: _safe(paths[0])
        for digest, paths in _tables(document.get("manifest"), "manifest")
        if _digest(digest)
    }
    listed = document.get("versions")
    names = (
        [f"v{number}" for number in range(1, len(listed) + 1)] if isinstance(listed, dict) else []
    )
    if not isinstance(listed, dict) or not names or set(listed) != set(names):
        raise ValueError("versions are not v1 to the head")
    if document.get("head") != names[-1]:
        raise ValueError(
            f"the head is {document.get('head')!r}, and the newest version {names[-1]}"
        )
    versions = tuple(_version(listed[name], manifest) for name in names)
    return Inventory(str(document.get("id")), manifest, versions)


def _version(document: Any, manifest: Mapping[str, str]) -> Version:
    if not isinstance(document, dict):
        raise ValueError("a version that is no mapping")
    state: dict[str, str] = {}
    for digest, paths in _tables(document.get("state"), "state"):
        if digest not in manifest:
            raise ValueError(f"a version names {digest[:12]}, which the manifest lacks")
        for path in paths:
            if path in state:
                raise ValueError(f"a version names {path!r} twice")
            state[_safe(path)] = digest
    return Version(str(document.get("created")), str(document.get("message")), state)


def _tables(value: Any, name: str) -> list[tuple[str, list[str]]]:
    if not isinstance(value, dict):
        raise ValueError(f"{name} is no mapping")
    found = []
    for digest, paths in value.items():
        if not isinstance(paths, list) or not paths or not all(isinstance(p, str) for p in paths):
            raise ValueError(f"{name} has no list of paths for {str(digest)[:12]}")
        found.append((str(digest), paths))
    return found


def _digest(text: str) -> bool:
    if not _SHA256.fullmatch(text):
        raise ValueError(f"{text[:80]!r} is no SHA-256")
    return True


def _safe(path: str) -> str:
    """Return a path that stays below where it is joined to. Raises ``ValueError``."""
    parts = path.split("/")
    if not path.isprintable() or "\\" in path or {"", ".", ".."} & set(parts):
        raise ValueError(f"{path[:80]!r} is no usable path")
    return path


def _by_digest(state: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in sorted(state):
        found.setdefault(state[path], []).append(path)
    return found


def is_version(name: str) -> bool:
    """Return whether a folder's name is that of a version."""
    return _VERSION.fullmatch(name) is not None

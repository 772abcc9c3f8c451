"""Differences of two layer tars, by member."""

from __future__ import annotations

import hashlib
import tarfile
from typing import IO, TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_COPY = 1 << 20
_TYPES = {
    tarfile.REGTYPE: "file",
    tarfile.DIRTYPE: "folder",
    tarfile.SYMTYPE: "symbolic link",
    tarfile.LNKTYPE: "hard link",
}


class _Member(NamedTuple):
    kind: str
    mode: str
    owner: str
    time: str
    target: str
    attributes: str
    content: str


def differences(expected: Path, found: Path) -> Iterator[str]:
    """Yield a sentence for each different member, by path; or one for the order alone."""
    before, now = _members(expected), _members(found)
    for path in sorted(before.keys() | now.keys()):
        if path not in now:
            yield f"{path}: missing"
        elif path not in before:
            yield f"{path}: added"
        elif before[path] != now[path]:
            yield f"{path}: {', '.join(_named(before[path], now[path]))}"
    if list(before) != list(now) and before.keys() == now.keys():
        first = next(a for a, b in zip(before, now, strict=True) if a != b)
        yield f"the order of members, from {first} on"


def _named(before: _Member, now: _Member) -> Iterator[str]:
    for field, first, second in zip(_Member._fields, before, now, strict=True):
        if first != second:
            yield f"{field} {second or 'none'}, was {first or 'none'}"


def _members(path: Path) -> dict[str, _Member]:
    with tarfile.open(path, mode="r:") as archive:
        return {member.name: _member(archive, member) for member in archive}


def _member(archive: tarfile.TarFile, member: tarfile.TarInfo) -> _Member:
    stream = archive.extractfile(member) if member.isreg() else None
    kept = {key: value for key, value in member.pax_headers.items() if key.startswith("SCHILY")}
    return _Member(
        kind=_TYPES.get(member.type, "something else"),
        mode=f"{member.mode:o}",
        owner=f"{member.uid}:{member.gid}",
        time=str(int(member.mtime)),
        target=member.linkname,
        attributes=" ".join(f"{key}={value}" for key, value in sorted(kept.items())),
        content="" if stream is None else f"sha256 {_hash(stream)[:12]} of {member.size} bytes",
    )


def _hash(stream: IO[bytes]) -> str:
    hasher = hashlib.sha256()
    while block := stream.read(_COPY):
        hasher.update(block)
    return hasher.hexdigest()

"""Canonical layer tars: equal contents give equal bytes on every host, at any time.

The header writer is Freezer's own, because a layer's digest must not depend on Python's
``tarfile``. It writes POSIX.1-2001 (pax) archives: a ustar header for every member, and an extended
header only for values that do not fit. All times are the same, never ``min(mtime, moment)``: a host
with a wrong clock must not affect the bytes.
"""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, Protocol

from freezer.errors import IntegrityError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

BLOCK = 512
END = bytes(2 * BLOCK)
"""Two empty blocks end an archive."""
_COPY = 1 << 20
_XATTR = "SCHILY.xattr."
_TYPES = {"file": b"0", "hardlink": b"1", "symlink": b"2", "dir": b"5"}
_NOISE = re.compile(
    r"(?:var/cache/(?:ldconfig|apt|debconf)/.+|var/cache/ldconfig|var/log/.+"
    r"|var/lib/apt/lists/.+|var/lib/dpkg/[^/]+-old|var/lib/dpkg/(?:lock|lock-frontend|triggers/Lock)"
    r"|(?:tmp|var/tmp|run|root/\.cache)/.+|etc/(?:hostname|hosts|resolv\.conf|mtab|\.pwd\.lock)"
    r"|etc/(?:passwd|group|shadow|gshadow|subuid|subgid)-|\.dockerenv)\Z"
)
_KEPT_CACHES = re.compile(r"var/cache/debconf/(?:config|templates|passwords)\.dat\Z")


OPAQUE = ".wh..wh..opq"
"""The opaque whiteout: lower layers' contents of this folder are hidden.
https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts"""


class Folder(NamedTuple):
    """A folder's attributes in a layer, without its time."""

    mode: int
    uid: int
    gid: int


class Sink(Protocol):
    """A writable binary stream."""

    def write(self, data: bytes, /) -> int | None:
        """Write some bytes."""


class Source(Protocol):
    """A readable binary stream."""

    def read(self, size: int, /) -> bytes:
        """Return at most ``size`` bytes; none at the end."""


@dataclass(frozen=True)
class Entry:
    """One member of a layer. Paths are relative, without ``./`` and a trailing slash."""

    path: str
    kind: str
    """``file``, ``dir``, ``symlink`` or ``hardlink``."""
    mode: int
    size: int = 0
    target: str = ""
    """The target of a link; for a hard link another member's path."""
    uid: int = 0
    gid: int = 0
    xattrs: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class CanonicalLayer:
    """A finished layer."""

    diff_id: str
    """``sha256:…`` of the uncompressed tar."""
    size: int


def header(entry: Entry, epoch: int) -> bytes:
    """Return the header blocks of a member; its data, padded to 512 bytes, follows them."""
    records: dict[str, str] = {}
    name = entry.path + "/" if entry.kind == "dir" else entry.path
    short = _short(name, "path", 100, records)
    link = _short(entry.target, "linkpath", 100, records)
    records.update((f"{_XATTR}{key}", value) for key, value in entry.xattrs)
    size, uid, gid = (
        _number(value, digits, key, records)
        for value, digits, key in (
            (entry.size, 11, "size"),
            (entry.uid, 7, "uid"),
            (entry.gid, 7, "gid"),
        )
    )
    kind = _TYPES[entry.kind]
    block = _ustar(short, entry.mode, uid, gid, size, epoch, kind, link)
    if not records:
        return block
    data = b"".join(_record(key, value) for key, value in sorted(records.items()))
    extended = _ustar(b"pax_header", 0o644, 0, 0, len(data), epoch, b"x", b"")
    return extended + data + padding(len(data)) + block


def padding(size: int) -> bytes:
    """Return the zeros that pad ``size`` bytes of data to whole blocks."""
    return bytes(-size % BLOCK)


def write_entry(sink: Sink, entry: Entry, data: Source | None, epoch: int) -> None:
    """Write a member with its data. Raises ``IntegrityError`` when the data is too short."""
    sink.write(header(entry, epoch))
    if entry.kind != "file":
        return
    left = entry.size
    while left and data is not None and (part := data.read(min(left, _COPY))):
        sink.write(part)
        left -= len(part)
    if left:
        raise IntegrityError(f"{entry.path} ends {left} bytes too early in its archive")
    sink.write(padding(entry.size))


class Hashing:
    """A sink that hashes and counts the bytes that it passes on."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._hasher = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes, /) -> int:
        """Write some bytes."""
        self._hasher.update(data)
        self._sink.write(data)
        self.size += len(data)
        return len(data)

    def layer(self) -> CanonicalLayer:
        """Return the layer that was written."""
        return CanonicalLayer(f"sha256:{self._hasher.hexdigest()}", self.size)


def canonicalise(
    source: BinaryIO,
    target: Sink,
    *,
    epoch: int,
    drop: Callable[[str], bool],
    below: Mapping[str, Folder] | None = None,
) -> CanonicalLayer:
    """Rewrite a layer tar in canonical form: order, times, hard links, no temporary files.

    ``source`` is a seekable uncompressed tar, read twice. ``drop`` returns whether to leave out a
    path; timestamp-based bytecode is left out as well. ``below`` are the folders of lower layers:
    unchanged ones are left out, and so are opaque whiteouts of new folders, because engines differ
    in both. Raises ``IntegrityError`` for devices and for paths that lead out of the root.
    """
    sink = Hashing(target)
    with tarfile.open(fileobj=source, mode="r:") as archive:
        members = {
            path: member
            for member in archive
            if (path := clean_path(member.name)) and not drop(path)
        }
        members = {
            path: member
            for path, member in members.items()
            if not (path.endswith(".pyc") and _is_timestamped(archive, member))
            and not (below is not None and _is_redundant(path, member, below))
        }
        firsts = _hard_links(members)
        for path in sorted(members, key=_order):
            entry, holder = _entry(path, members, firsts)
            data = archive.extractfile(holder) if entry.kind == "file" else None
            write_entry(sink, entry, data, epoch)
    sink.write(END)
    return sink.layer()


def _is_redundant(path: str, member: tarfile.TarInfo, below: Mapping[str, Folder]) -> bool:
    folder, _, name = path.rpartition("/")
    if name == OPAQUE:
        return folder not in below
    known = below.get(path)
    return member.isdir() and known == Folder(member.mode & 0o7777, member.uid, member.gid)


def clean_path(name: str) -> str:
    """Return a member's path without ``./`` and outer slashes; empty for the root itself.

    Raises ``IntegrityError`` for a path that leads out of the root.
    """
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts or "\0" in name:
        raise IntegrityError(f"a member of an archive leads out of it: {name!r}")
    return "/".join(parts)


def DEBIAN_NOISE(path: str) -> bool:  # noqa: N802 - passed around like a constant
    """Return whether a path is a log, cache or state of one run of apt, dpkg or ldconfig."""
    name = path.rsplit("/", 1)[-1]
    plain = path if not name.startswith(".wh.") else path[: -len(name)] + name[4:]
    return bool(_NOISE.match(plain)) and not _KEPT_CACHES.match(plain)


def parents(paths: Iterable[str]) -> list[str]:
    """Return every parent folder of some paths, sorted, without duplicates."""
    found = {
        "/".join(parts[:depth])
        for parts in (path.split("/") for path in paths)
        for depth in range(1, len(parts))
    }
    return sorted(found, key=_order)


def _order(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape")


def _hard_links(members: Mapping[str, tarfile.TarInfo]) -> dict[str, tuple[str, tarfile.TarInfo]]:
    """Map each name of a multiply linked file to its first name and the member with data."""
    groups: dict[str, list[str]] = {}
    for path, member in members.items():
        if member.islnk():
            groups.setdefault(clean_path(member.linkname), []).append(path)
    firsts: dict[str, tuple[str, tarfile.TarInfo]] = {}
    for target, names in groups.items():
        if target not in members:
            raise IntegrityError(
                f"{names[0]} is a hard link to {target}, which is not in its layer"
            )
        every = sorted([target, *names], key=_order)
        firsts.update((name, (every[0], members[target])) for name in every)
    return firsts


def _entry(
    path: str,
    members: Mapping[str, tarfile.TarInfo],
    firsts: Mapping[str, tuple[str, tarfile.TarInfo]],
) -> tuple[Entry, tarfile.TarInfo]:
    first, holder = firsts.get(path, (path, members[path]))
    xattrs = tuple(
        sorted(
            (key.removeprefix(_XATTR), value)
            for key, value in holder.pax_headers.items()
            if key.startswith(_XATTR)
        )
    )
    entry = Entry(
        path, _kind(holder), holder.mode & 0o7777, holder.size, "", holder.uid, holder.gid, xattrs
    )
    if path != first:
        return replace(entry, kind="hardlink", target=first, size=0, xattrs=()), holder
    if entry.kind != "file":
        entry = replace(entry, size=0, target=holder.linkname if holder.issym() else "")
    return entry, holder


def _kind(member: tarfile.TarInfo) -> str:
    if member.isreg():
        return "file"
    if member.isdir():
        return "dir"
    if member.issym():
        return "symlink"
    raise IntegrityError(f"{member.name} is a device, socket or pipe, which no layer may hold")


def _is_timestamped(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bool:
    """Return whether bytecode is timestamp-based (PEP 552: flag bit 0 is not set)."""
    stream = archive.extractfile(member) if member.isreg() else None
    head = stream.read(8) if stream is not None else b""
    return len(head) == 8 and not head[4] & 1


def _short(text: str, key: str, limit: int, records: dict[str, str]) -> bytes:
    data = text.encode("utf-8", "surrogateescape")
    if len(data) <= limit and text.isascii():
        return data
    records[key] = text
    return data[:limit]


def _number(value: int, digits: int, key: str, records: dict[str, str]) -> int:
    if value < 8**digits:
        return value
    records[key] = str(value)
    return 0


def _record(key: str, value: str) -> bytes:
    """Return ``LENGTH KEY=VALUE`` and a line feed; the length counts its own digits."""
    body = f" {key}={value}\n".encode("utf-8", "surrogateescape")
    length = len(body)
    while length != len(body) + len(str(length)):
        length = len(body) + len(str(length))
    return str(length).encode() + body


def _ustar(
    name: bytes, mode: int, uid: int, gid: int, size: int, mtime: int, kind: bytes, link: bytes
) -> bytes:
    head = io.BytesIO()
    head.write(name.ljust(100, b"\0"))
    for value, digits in ((mode, 7), (uid, 7), (gid, 7), (size, 11), (mtime, 11)):
        head.write(b"%0*o\0" % (digits, value))
    head.write(b" " * 8)
    head.write(kind + link.ljust(100, b"\0") + b"ustar\x0000")
    head.write(bytes(64) + b"%07o\0%07o\0" % (0, 0))
    block = head.getvalue().ljust(BLOCK, b"\0")
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]

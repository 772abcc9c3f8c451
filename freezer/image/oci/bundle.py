"""Bundles: one archive with all files that a lock's image is built from, and references.

A bundle is a canonical tar: an index with the hash of every member, then the lock's files, then
blobs by SHA-256. Reading trusts nothing: names have one of three forms, only regular files are
accepted, every byte is hashed before use, and bytes outside of members must be as Freezer writes
them. So any changed byte is an error.
"""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Annotated, Final, Literal, Protocol

from pydantic import Field, ValidationError

from freezer.errors import IntegrityError, Where
from freezer.image.tar.canonical import END, Entry, header, padding, write_entry
from freezer.model.base import EnvName, Model, Sha256
from freezer.model.canonical import json_bytes, plain
from freezer.model.parsing import parse_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from freezer.image.tar.canonical import Sink

INDEX: Final = "freezer-bundle.json"
_LARGEST_INDEX = 64 << 20
_LARGEST_FILE = 64 << 20
_BLOB = re.compile(r"blobs/sha256/([0-9a-f]{64})\Z")
_LOCK_FILE = re.compile(
    r"lock/(freeze\.lock\.yaml|requirements\.txt|references/[a-z0-9][a-z0-9._-]{0,99}\.json)\Z"
)
_COPY = 1 << 20


class Member(Model):
    """One file of a bundle."""

    size: Annotated[int, Field(ge=0)]
    sha256: Sha256


class BundleIndex(Model):
    """The first member of a bundle: size and hash of all others."""

    schema_: Literal["freezer/bundle/1"] = Field(default="freezer/bundle/1", alias="schema")
    environment: EnvName
    lock_id: Sha256
    files: dict[str, Member]


@dataclass(frozen=True)
class Content:
    """A member to be written: its size, its hash, and a function that opens it."""

    size: int
    sha256: str
    open: Callable[[], IO[bytes]]


class Blobs(Protocol):
    """Receives the blobs of a bundle being read."""

    def take(self, sha256: str, stream: IO[bytes]) -> None:
        """Store a stream's bytes. Raises ``IntegrityError`` when they have another hash."""


def content_of(data: bytes) -> Content:
    """Return bytes as a member."""
    return Content(len(data), hashlib.sha256(data).hexdigest(), lambda: io.BytesIO(data))


def write_bundle(
    sink: Sink, environment: str, lock_id: str, members: Mapping[str, Content], epoch: int
) -> int:
    """Write a bundle, deterministically. Returns the total bytes of all members."""
    index = BundleIndex(
        environment=environment,
        lock_id=lock_id,
        files={path: Member(size=c.size, sha256=c.sha256) for path, c in members.items()},
    )
    first = content_of(json_bytes(plain(index)))
    ordered = {INDEX: first, **dict(sorted(members.items(), key=_lock_first))}
    for path, content in ordered.items():
        with content.open() as stream:
            write_entry(sink, Entry(path, "file", 0o644, content.size), stream, epoch)
    sink.write(END)
    return sum(content.size for content in ordered.values())


def _lock_first(item: tuple[str, Content]) -> tuple[bool, str]:
    return item[0].startswith("blobs/"), item[0]


@dataclass(frozen=True)
class Bundle:
    """The contents of a bundle besides its blobs."""

    index: BundleIndex
    files: dict[str, bytes]
    """The lock's files by path below ``lock/``."""
    blobs: frozenset[str]


def read_bundle(path: Path, blobs: Blobs) -> Bundle:
    """Read and verify a whole bundle, passing its blobs to ``blobs``.

    Raises ``IntegrityError`` with the first member that is wrong.
    """
    files: dict[str, bytes] = {}
    seen: set[str] = set()
    with _opened(path) as archive, path.open("rb") as raw:
        first, index = _index(archive, path)
        end = _require_form(path, raw, first, 0, first.mtime)
        while (member := archive.next()) is not None:
            name = member.name
            expected = index.files.get(name)
            if expected is None or name in seen or not member.isreg():
                raise _refused(path, f"a member that is not in its index: {name[:200]!r}")
            if member.size != expected.size:
                raise _refused(path, f"{name} has {member.size} bytes, not {expected.size}")
            end = _require_form(path, raw, member, end, first.mtime)
            seen.add(name)
            stream = archive.extractfile(member)
            if stream is None:
                raise _refused(path, f"{name} cannot be read")
            if blob := _BLOB.match(name):
                _require_own_name(path, blob[1], expected)
                blobs.take(blob[1], stream)
            elif (file := _LOCK_FILE.match(name)) and member.size <= _LARGEST_FILE:
                files[file[1]] = _read(path, name, stream, expected)
            else:
                raise _refused(path, f"an invalid member name: {name[:200]!r}")
        if missing := sorted(index.files.keys() - seen):
            raise _refused(path, f"{len(missing)} members are missing, the first is {missing[0]}")
        raw.seek(end)
        if raw.read(len(END) + 1) != END:
            raise _refused(path, "data after the last member")
    return Bundle(index, files, frozenset(name[-64:] for name in seen if name.startswith("blobs/")))


def _require_form(
    path: Path, raw: IO[bytes], member: tarfile.TarInfo, start: int, moment: float
) -> int:
    """Check that a member starts at ``start`` as Freezer writes it; return its end."""
    entry = Entry(member.name, "file", 0o644, member.size)
    try:
        head = header(entry, int(moment))
    except (KeyError, ValueError, OverflowError):
        head = b""
    data_end = member.offset_data + member.size
    raw.seek(start)
    if raw.read(member.offset_data - start) != head:
        raise _refused(path, f"the member {member.name[:200]!r} is not in canonical form")
    raw.seek(data_end)
    fill = padding(member.size)
    if raw.read(len(fill)) != fill:
        raise _refused(path, f"data between {member.name[:200]!r} and the next member")
    return data_end + len(fill)


@contextmanager
def _opened(path: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(path, mode="r:") as archive:
            yield archive
    except (tarfile.TarError, EOFError) as error:
        raise _refused(path, f"not a valid tar archive ({error})") from error


def _index(archive: tarfile.TarFile, path: Path) -> tuple[tarfile.TarInfo, BundleIndex]:
    first = archive.next()
    stream = archive.extractfile(first) if first is not None and first.isreg() else None
    if first is None or stream is None or first.name != INDEX or first.size > _LARGEST_INDEX:
        raise _refused(path, f"it does not begin with {INDEX}")
    data = stream.read()
    try:
        index = BundleIndex.model_validate(parse_json(data))
    except (ValueError, ValidationError) as error:
        raise _refused(path, f"its index cannot be read: {str(error).splitlines()[0]}") from None
    if json_bytes(plain(index)) != data:
        raise _refused(path, "its index is not in canonical form")
    return first, index


def _require_own_name(path: Path, name: str, expected: Member) -> None:
    if expected.sha256 != name:
        raise _refused(path, f"blob {name[:12]} is listed with another hash")


def _read(path: Path, name: str, stream: IO[bytes], expected: Member) -> bytes:
    data = stream.read()
    if hashlib.sha256(data).hexdigest() != expected.sha256:
        raise _refused(path, f"{name} does not have the hash in the index")
    return data


def _refused(path: Path, found: str) -> IntegrityError:
    return IntegrityError(
        "this is not a valid bundle",
        where=Where(str(path)),
        found=found,
        hint="get the bundle again, or create it again with `freeze bundle`; it may be cut off or "
        "tampered with",
    )

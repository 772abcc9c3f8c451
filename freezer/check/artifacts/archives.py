"""Archives with timestamps: gzip, zip, tar, and the zip files of PyTorch and Keras."""

from __future__ import annotations

import gzip
import hashlib
import json
import lzma
import struct
import tarfile
import zipfile
import zlib
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Final

from freezer.check.artifacts.description import Format, NotThisFormatError, Parts

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST: Final = 64 << 30
"""Maximum unpacked bytes of one file, against decompression bombs."""
MOST: Final = 1_000_000
"""Maximum members of one archive."""
_BLOCK: Final = 1 << 20
_JSON: Final = 64 << 20


def _gzip(stream: BinaryIO) -> Parts:
    with gzip.GzipFile(fileobj=stream) as unpacked:
        yield "content", hash_of(unpacked, Budget())  # type: ignore[arg-type]


def _tar(stream: BinaryIO) -> Parts:
    """Yield name, kind, mode, link and content of each member, sorted by name."""
    budget, found = Budget(), []
    with tarfile.open(fileobj=stream, mode="r|*") as archive:
        for member in archive:
            budget.count()
            content = archive.extractfile(member) if member.isreg() else None
            digest = b"" if content is None else hash_of(content, budget)
            kind = f"{member.type!r} {member.mode:o} {member.linkname}"
            found.append((member.name, kind.encode() + b" " + digest))
    yield from sorted(found)


def _zip(stream: BinaryIO) -> Parts:
    yield from sorted(_members(stream))


def _torch(stream: BinaryIO) -> Parts:
    """Yield the members without the top folder, which is named after the file."""
    found = [(name.partition("/")[2], digest) for name, digest in _members(stream)]
    # An identifier of the serialised object, computed from names and checksums of the members.
    yield from sorted(one for one in found if one[0] != ".data/serialization_id")


def _keras(stream: BinaryIO) -> Parts:
    """Yield the members; of the two JSON ones without clocks and addresses."""
    budget, found = Budget(), []
    with zipfile.ZipFile(stream) as archive:
        for info in archive.infolist():
            with archive.open(info) as member:
                if info.filename in ("metadata.json", "config.json"):
                    document = json.loads(_bounded(member))
                    text = json.dumps(_without_identity(document), sort_keys=True)
                    found.append((info.filename, hashlib.sha256(text.encode()).digest()))
                else:
                    found.append((info.filename, hash_of(member, budget)))
    yield from sorted(found)


def _without_identity(value: Any) -> Any:
    if isinstance(value, dict):
        passing = ("date_saved", "shared_object_id")
        return {key: _without_identity(item) for key, item in value.items() if key not in passing}
    return [_without_identity(item) for item in value] if isinstance(value, list) else value


def _members(stream: BinaryIO) -> Iterator[tuple[str, bytes]]:
    budget = Budget()
    with zipfile.ZipFile(stream) as archive:
        for info in archive.infolist():
            budget.count()
            with archive.open(info) as member:
                yield info.filename, hash_of(member, budget)


class Budget:
    """The remaining unpacked bytes and members."""

    def __init__(self) -> None:
        self._bytes = LARGEST
        self._members = MOST

    def count(self) -> None:
        """Count a member. Raises ``NotThisFormatError`` for one too many."""
        self._members -= 1
        if self._members < 0:
            message = f"more than {MOST} members"
            raise NotThisFormatError(message)

    def take(self, size: int) -> None:
        """Count unpacked bytes. Raises ``NotThisFormatError`` for too many."""
        self._bytes -= size
        if self._bytes < 0:
            message = f"more than {LARGEST} bytes"
            raise NotThisFormatError(message)


def hash_of(stream: IO[bytes], budget: Budget) -> bytes:
    """Return the SHA-256 of a stream, counted in a budget. Raises ``NotThisFormatError``."""
    hasher = hashlib.sha256()
    while block := stream.read(_BLOCK):
        budget.take(len(block))
        hasher.update(block)
    return hasher.digest()


def _bounded(stream: IO[bytes]) -> bytes:
    data = stream.read(_JSON + 1)
    if len(data) > _JSON:
        message = "a description of more than 64 MiB"
        raise NotThisFormatError(message)
    return data


ERRORS: Final = (
    OSError, EOFError, ValueError, KeyError, RuntimeError, NotImplementedError, RecursionError,
    zlib.error, zipfile.BadZipFile, tarfile.TarError, lzma.LZMAError, struct.error, TypeError,
    IndexError, ArithmeticError,
)  # fmt: skip
"""Exceptions of Python for archives that are corrupt, encrypted, or of unknown compression.

`tarfile` ends in ``TypeError`` where a gzip header is cut short.
"""


def _is_zip(name: str, head: bytes) -> bool:
    del name
    return head.startswith(b"PK\x03\x04")


def _is_torch(name: str, head: bytes) -> bool:
    del name
    return head.startswith(b"PK\x03\x04") and b"/data.pkl" in head[:256]


def _is_tar(name: str, head: bytes) -> bool:
    compressed = head[:2] == b"\x1f\x8b" and name.endswith((".tar.gz", ".tgz"))
    return compressed or head[257:262] == b"ustar"


FORMATS: Final = (
    Format(
        "pytorch-zip",
        _is_torch,
        _torch,
        "the name of the archive's top folder, which is the file's own",
        "torch 2.13.0: `torch.save` to a path",
    ),
    Format(
        "keras",
        lambda name, head: name.endswith(".keras") and _is_zip(name, head),
        _keras,
        "`date_saved`, the times of members, and `shared_object_id`, which is a memory address",
        "keras 3.15.1: `model.save`",
    ),
    Format(
        "zip", _is_zip, _zip, "the times of members and how they are compressed",
        "CPython 3.11: `zipfile.ZipFile.write`",
    ),
    Format(
        "tar", _is_tar, _tar, "times, owners, the order of members, the gzip header",
        "CPython 3.11: `tarfile.open(mode='w:gz')`",
    ),
    Format(
        "gzip",
        lambda _name, head: head[:2] == b"\x1f\x8b",
        _gzip,
        "the header's time and file name, and how it is compressed",
        "CPython 3.11: `gzip.compress`; pandas 3.1: `to_csv(compression='gzip')`",
    ),
)  # fmt: skip
"""In order of detection: PyTorch's and Keras' files are zips as well."""

"""NumPy's arrays: `.npy`, and `.npz`, which is a zip of them."""

from __future__ import annotations

import hashlib
import re
import zipfile
from typing import IO, TYPE_CHECKING, BinaryIO, Final

from freezer.check.artifacts.archives import Budget, hash_of
from freezer.check.artifacts.description import Format, NotThisFormatError, Parts

if TYPE_CHECKING:
    from collections.abc import Iterator

MAGIC: Final = b"\x93NUMPY"
_HEADER: Final = 1 << 20
_BLANKS: Final = re.compile(rb"[ \n]+$")


def _npy(stream: BinaryIO) -> Parts:
    yield from _array(stream, Budget())


def _npz(stream: BinaryIO) -> Parts:
    """Yield the arrays of each member; a member that is none by its bytes."""
    budget, found = Budget(), []
    with zipfile.ZipFile(stream) as archive:
        for info in archive.infolist():
            budget.count()
            with archive.open(info) as member:
                found.append((info.filename, _member(info.filename, member, budget)))
    yield from sorted(found)


def _member(name: str, member: IO[bytes], budget: Budget) -> bytes:
    if not name.endswith(".npy"):
        return hash_of(member, budget)
    hasher = hashlib.sha256()
    for part, data in _array(member, budget):
        hasher.update(f"{part} {len(data)}\n".encode() + data)
    return hasher.digest()


def _array(stream: IO[bytes], budget: Budget) -> Iterator[tuple[str, bytes]]:
    """Yield type, order and shape as the header writes them, without its padding, then the data.

    The data of an array of objects is a pickle, which nothing reads: its bytes count.
    """
    start = stream.read(8)
    if start[:6] != MAGIC or len(start) != 8 or start[6] not in (1, 2, 3):
        message = "no array of NumPy"
        raise NotThisFormatError(message)
    size = int.from_bytes(stream.read(2 if start[6] == 1 else 4), "little")
    header = stream.read(min(size, _HEADER))
    if len(header) != size or not header.startswith(b"{"):
        message = "the header is cut short or too long"
        raise NotThisFormatError(message)
    yield "header", _BLANKS.sub(b"", header)
    yield "data", hash_of(stream, budget)


def _is_npz(name: str, head: bytes) -> bool:
    return name.endswith(".npz") and head.startswith(b"PK\x03\x04")


FORMATS: Final = (
    Format(
        "npy",
        lambda _name, head: head.startswith(MAGIC),
        _npy,
        "how the header is padded, which is another in another version of the format",
        "numpy 2.4.6: `numpy.lib.format.write_array(version=…)`",
    ),
    Format(
        "npz",
        _is_npz,
        _npz,
        "how members are compressed, which depends on the zlib in use",
        "numpy 2.4.6: `savez`, `savez_compressed`",
    ),
)

"""Reads ``.deb`` files: an ``ar`` archive with a compressed tar (see deb(5)).

Pure Python, so that a base can be made on a host without Debian's tools. A verified file is still
untrusted: members that are not plain or not below the root are errors.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, BinaryIO, cast

import zstandard

from freezer.errors import IntegrityError
from freezer.fetch.http.bounded import RATIO, Bounded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_MAGIC = b"!<arch>\n"
_HEADER = 60
_ALLOWANCE = 256 << 20
"""Maximum unpacked bytes of the smallest package."""
_LATEST = 8**11 - 1
"""The latest time of a tar member, in the year 2242."""
_BROKEN = (
    tarfile.TarError,
    lzma.LZMAError,
    zstandard.ZstdError,
    EOFError,
    OSError,  # raised by gzip and bz2
    ValueError,
)


class _Part(io.RawIOBase):
    """One member of an ``ar`` archive as a stream."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self._left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast("bytearray", buffer)).cast("B")
        data = self._stream.read(min(len(view), self._left))
        view[: len(data)] = data
        self._left -= len(data)
        return len(data)


def build_time(path: Path, name: str) -> int:
    """Return a package's build time from the file, in seconds since 1970.

    ``name`` is for messages. Raises ``IntegrityError`` when this is no Debian package.
    """
    with path.open("rb") as stream:
        for _, moment, _ in _members(stream, name):
            return moment
    raise _not_a_package(name, "an empty archive")


@contextmanager
def open_data(path: Path, name: str) -> Iterator[tarfile.TarFile]:
    """Open the files of a package as a tar stream.

    Raises ``IntegrityError``, also within the block, when the package is corrupt.
    """
    with path.open("rb") as stream:
        part, unpack = _data(stream, name)
        limit = _ALLOWANCE + RATIO * path.stat().st_size
        try:
            with unpack(part) as data:
                bounded = cast("IO[bytes]", Bounded(data, limit, lambda most: _bomb(name, most)))
                with tarfile.open(fileobj=bounded, mode="r|") as archive:
                    yield archive
        except _BROKEN as error:
            raise _not_a_package(name, str(error) or type(error).__name__) from error


def _data(stream: BinaryIO, name: str) -> tuple[BinaryIO, Callable[[BinaryIO], IO[bytes]]]:
    for member, _, size in _members(stream, name):
        if member.startswith("data.tar"):
            unpack = _UNPACK.get(member.removeprefix("data.tar"))
            if unpack is None:
                raise _not_a_package(name, member)
            return cast("BinaryIO", io.BufferedReader(_Part(stream, size), 1 << 20)), unpack
    raise _not_a_package(name, "no data.tar in it")


def _members(stream: BinaryIO, name: str) -> Iterator[tuple[str, int, int]]:
    """Yield name, time and size of each member, with the stream at its data."""
    if stream.read(len(_MAGIC)) != _MAGIC:
        raise _not_a_package(name, "no ar archive")
    offset = len(_MAGIC)
    while header := stream.read(_HEADER):
        try:
            member = header[:16].decode("ascii").rstrip(" ").rstrip("/")
            moment, size = int(header[16:28]), int(header[48:58])
        except ValueError:
            raise _not_a_package(name, f"a broken header at byte {offset}") from None
        if header[58:] != b"`\n" or size < 0 or not 0 <= moment <= _LATEST:
            raise _not_a_package(name, f"a broken header at byte {offset}")
        yield member, moment, size
        offset += _HEADER + size + size % 2
        stream.seek(offset)


def _zstd(part: BinaryIO) -> IO[bytes]:
    return zstandard.ZstdDecompressor().stream_reader(part, read_across_frames=True)


_UNPACK: dict[str, Callable[[BinaryIO], IO[bytes]]] = {
    "": lambda part: part,
    ".gz": lambda part: cast("IO[bytes]", gzip.GzipFile(fileobj=part)),
    ".bz2": lambda part: cast("IO[bytes]", bz2.BZ2File(part)),
    ".xz": lambda part: cast("IO[bytes]", lzma.LZMAFile(part)),  # noqa: SIM115 - the caller closes
    ".zst": _zstd,
}


def _bomb(name: str, limit: int) -> IntegrityError:
    return IntegrityError(
        f"{name} unpacks to suspiciously many bytes",
        found=f"more than {limit}",
        hint="check that its archive is a Debian one",
    )


def _not_a_package(name: str, found: str) -> IntegrityError:
    return IntegrityError(
        f"{name} is not a readable Debian package",
        found=found,
        expected="an ar archive with a data.tar, plain or as gz, bz2, xz or zst",
        hint="check that its archive is a Debian one",
    )

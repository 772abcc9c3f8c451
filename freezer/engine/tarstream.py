"""Tar archives as streams, created while they are sent, never complete in memory or on disk."""

from __future__ import annotations

import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from freezer.engine.link import host_error
from freezer.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from freezer.model.events import Task

Form = Literal[0, 1, 2]
"""``tarfile.USTAR_FORMAT``, ``GNU_FORMAT`` or ``PAX_FORMAT``."""

CHUNK = 1 << 20
END = bytes(2 * tarfile.BLOCKSIZE)


@dataclass(frozen=True)
class Entry:
    """One member of an archive: its header and the source of its bytes (none for folders)."""

    header: tarfile.TarInfo
    data: bytes | Path | None = None


def member(name: str, data: bytes | Path) -> Entry:
    """Return a regular file of mode 0644, owner 0 and time 0."""
    header = tarfile.TarInfo(name)
    header.size = len(data) if isinstance(data, bytes) else _size(data)
    return Entry(header, data)


def total(entries: Iterable[Entry]) -> int:
    """Return the approximate size of the archive; headers of long names may add to it."""
    block = tarfile.BLOCKSIZE
    return len(END) + sum(block + -(-entry.header.size // block) * block for entry in entries)


def stream(entries: Iterable[Entry], *, form: Form = tarfile.GNU_FORMAT) -> Iterator[bytes]:
    """Yield the archive in blocks of 1 MiB. Raises ``HostError`` when a file changes its size."""
    for entry in entries:
        yield _header(entry.header, form)
        if entry.data is not None:
            yield from _content(entry)
    yield END


def counted(chunks: Iterable[bytes], task: Task) -> Iterator[bytes]:
    """Pass chunks on and report their bytes to the task."""
    for chunk in chunks:
        yield chunk
        task.advance(len(chunk))


def _header(header: tarfile.TarInfo, form: Form) -> bytes:
    try:
        return header.tobuf(format=form)
    except ValueError as error:
        raise HostError(
            "a file cannot be written to a tar archive",
            found=f"{header.name}: {error}",
            hint="give it a shorter name, or make it smaller",
        ) from error


def _content(entry: Entry) -> Iterator[bytes]:
    if isinstance(entry.data, bytes):
        yield entry.data
    elif entry.data is not None:
        yield from _file(entry.data, entry.header.size)
    yield bytes(-entry.header.size % tarfile.BLOCKSIZE)


def _file(path: Path, size: int) -> Iterator[bytes]:
    left = size
    try:
        with path.open("rb") as file:
            while left and (chunk := file.read(min(CHUNK, left))):
                left -= len(chunk)
                yield chunk
    except OSError as error:
        raise host_error("sending it to the engine", error) from error
    if left:
        raise HostError(
            f"{path} was truncated while it was sent to the engine",
            hint="repeat the command when nothing writes to it",
        )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise host_error("reading it for the engine", error) from error

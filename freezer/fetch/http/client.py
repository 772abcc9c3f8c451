"""Opens addresses (http, https and file) with uniform errors."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import unquote

from freezer.errors import FetchError
from freezer.fetch.http import transport
from freezer.fetch.http.redact import redact
from freezer.fetch.http.transport import BrokenOffError, send, status_of
from freezer.fetch.http.url import split_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import requests

__all__ = ["BrokenOffError", "NotFoundError", "RefusedError", "get_bytes", "get_range", "open_url"]

CHUNK = 1 << 18
STALLED = 300.0
"""Maximum seconds for a block of a file, less than a kilobyte a second."""
DOCUMENT = 600.0
"""Maximum seconds for a whole document."""


class NotFoundError(FetchError):
    """The server has no such file."""


class RefusedError(FetchError):
    """The server denies access; some do so for missing files."""


class RangeUnsupportedError(FetchError):
    """The server does not support range requests."""


class Response:
    """An open address: read it in blocks, once."""

    def __init__(
        self,
        url: str,
        start: int,
        size: int | None,
        raw: Iterator[bytes],
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.url = url
        self.start = start
        """Offset of the first byte; 0 when the server ignored the requested one."""
        self.size = size
        """Remaining bytes, if announced."""
        self.unchanged = False
        """Whether a conditional request was answered with 304 (not modified)."""
        self.headers = headers if headers is not None else {}
        """The headers; names are case-insensitive."""
        self._raw = raw

    def blocks(self) -> Iterator[bytes]:
        """Yield the bytes. Raises ``FetchError`` when the connection breaks or stalls."""
        try:
            yield from self._raw
        except OSError as error:
            raise transport.unreachable(self.url, error) from error


@contextmanager
def open_url(
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    start: int = 0,
    seconds: float | None = None,
) -> Iterator[Response]:
    """Open an address, from byte ``start`` on if the server supports that.

    With ``seconds`` all of it has to arrive within them, otherwise each block in its time. Raises
    ``NotFoundError`` when there is no such file, ``FetchError`` when the server cannot be reached,
    is too slow, or refuses.
    """
    if split_url(url).scheme == "file":
        with _open_file(url, start) as response:
            yield response
        return
    requested = dict(headers or {}) | ({"Range": f"bytes={start}-"} if start else {})
    with send("GET", url, headers=requested) as response:
        if start and response.status_code == 416:
            raise RangeUnsupportedError(f"{redact(url)} has no byte {start}")
        _require_success(url, response)
        begins = start if response.status_code == 206 else 0
        limit, whole = (STALLED, False) if seconds is None else (seconds, True)
        raw = transport.blocks_of(url, response, seconds=limit, whole=whole, size=CHUNK)
        size = transport.content_length(response)
        opened = Response(url, begins, size, raw, response.headers)
        opened.unchanged = response.status_code == 304
        yield opened


def get_bytes(url: str, *, limit: int, headers: Mapping[str, str] | None = None) -> bytes:
    """Return a document. Raises ``FetchError`` beyond ``limit`` bytes, or ``DOCUMENT`` seconds."""
    parts, size = [], 0
    with open_url(url, headers=headers, seconds=DOCUMENT) as response:
        for block in response.blocks():
            size += len(block)
            if size > limit:
                raise FetchError(f"{redact(url)} is too large", expected=f"at most {limit} bytes")
            parts.append(block)
    return b"".join(parts)


def get_range(url: str, start: int, end: int) -> bytes:
    """Return the bytes from ``start`` to before ``end``; a negative ``start`` counts from the end.

    Raises ``RangeUnsupportedError`` when the server serves only whole files.
    """
    if split_url(url).scheme == "file":
        return _file_range(url, start, end)
    most = -start if start < 0 else end - start
    span = f"bytes={start}" if start < 0 else f"bytes={start}-{end - 1}"
    with send("GET", url, headers={"Range": span}) as response:
        _require_success(url, response)
        if response.status_code != 206:
            raise RangeUnsupportedError(f"{redact(url)} does not support range requests")
        data = bytearray()
        for block in transport.blocks_of(url, response, seconds=DOCUMENT, whole=True):
            data += block
            if len(data) > most:
                raise RangeUnsupportedError(f"{redact(url)} sends more than the requested range")
        return bytes(data)


def _require_success(url: str, response: requests.Response) -> None:
    if response.status_code in (404, 410):
        raise NotFoundError(f"{redact(url)} does not exist", found=f"HTTP {response.status_code}")
    if response.status_code in (401, 403):
        raise RefusedError(
            f"{redact(url)} refuses access",
            found=f"HTTP {response.status_code}",
            hint="configure credentials in ~/.netrc or in the configured address",
        )
    if not response.ok:
        raise FetchError(
            f"{redact(url)} cannot be read",
            found=status_of(response),
            hint="try again later, or configure a mirror",
        )


def _path(url: str) -> Path:
    return Path(unquote(split_url(url).path))


@contextmanager
def _open_file(url: str, start: int) -> Iterator[Response]:
    path = _path(url)
    try:
        with path.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            stream.seek(min(start, size))
            yield Response(url, min(start, size), size - min(start, size), _read(stream))
    except (FileNotFoundError, IsADirectoryError) as error:
        raise NotFoundError(f"{path} does not exist") from error
    except PermissionError as error:
        raise FetchError(f"{path} is not readable", hint="check its permissions") from error


def _read(stream: BinaryIO) -> Iterator[bytes]:
    while block := stream.read(CHUNK):
        yield block


def _file_range(url: str, start: int, end: int) -> bytes:
    with _open_file(url, 0) as whole:
        size = whole.size or 0
    first = max(0, size + start) if start < 0 else start
    last = size if start < 0 else min(end, size)
    with _open_file(url, first) as response:
        return b"".join(response.blocks())[: last - first]

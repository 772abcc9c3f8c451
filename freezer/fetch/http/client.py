"""Opening addresses: http, https and file, with one way to fail."""

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
"""Seconds in which a block of a file must come: less than a kilobyte a second is no service."""
DOCUMENT = 600.0
"""Seconds in which a whole document must come."""


class NotFoundError(FetchError):
    """The server was reached and has no such file."""


class RefusedError(FetchError):
    """The server was reached and refuses access; some say so for files that are not there."""


class RangeUnsupportedError(FetchError):
    """The server does not serve parts of files."""


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
        """Offset of the first byte that will come; 0 when the server ignored the wish."""
        self.size = size
        """Bytes still to come, when the server says."""
        self.unchanged = False
        """True when the request was conditional and the server has nothing newer (304)."""
        self.headers = headers if headers is not None else {}
        """The headers; names in any case."""
        self._raw = raw

    def blocks(self) -> Iterator[bytes]:
        """Yield the bytes. Raises ``FetchError`` when the connection breaks off or stalls."""
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
    """Open an address, from byte ``start`` on where the server can do that.

    With ``seconds`` all of it has to come within them, otherwise each block in its time. Raises
    ``NotFoundError`` when there is no such file, ``FetchError`` when the server is out of reach,
    too slow, or refuses.
    """
    if split_url(url).scheme == "file":
        with _open_file(url, start) as response:
            yield response
        return
    wanted = dict(headers or {}) | ({"Range": f"bytes={start}-"} if start else {})
    with send("GET", url, headers=wanted) as answer:
        if start and answer.status_code == 416:
            raise RangeUnsupportedError(f"{redact(url)} has no byte {start}")
        _require_success(url, answer)
        begins = start if answer.status_code == 206 else 0
        limit, whole = (STALLED, False) if seconds is None else (seconds, True)
        raw = transport.blocks_of(url, answer, seconds=limit, whole=whole, size=CHUNK)
        size = transport.content_length(answer)
        response = Response(url, begins, size, raw, answer.headers)
        response.unchanged = answer.status_code == 304
        yield response


def get_bytes(url: str, *, limit: int, headers: Mapping[str, str] | None = None) -> bytes:
    """Return a document. Raises ``FetchError`` beyond ``limit`` bytes, or ``DOCUMENT`` seconds."""
    parts, size = [], 0
    with open_url(url, headers=headers, seconds=DOCUMENT) as response:
        for block in response.blocks():
            size += len(block)
            if size > limit:
                raise FetchError(
                    f"{redact(url)} is larger than it may be", expected=f"at most {limit} bytes"
                )
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
    with send("GET", url, headers={"Range": span}) as answer:
        _require_success(url, answer)
        if answer.status_code != 206:
            raise RangeUnsupportedError(f"{redact(url)} is served only whole")
        data = bytearray()
        for block in transport.blocks_of(url, answer, seconds=DOCUMENT, whole=True):
            data += block
            if len(data) > most:
                raise RangeUnsupportedError(f"{redact(url)} sends more than the part asked for")
        return bytes(data)


def _require_success(url: str, answer: requests.Response) -> None:
    if answer.status_code in (404, 410):
        raise NotFoundError(f"{redact(url)} is not there", found=f"HTTP {answer.status_code}")
    if answer.status_code in (401, 403):
        raise RefusedError(
            f"{redact(url)} refuses access",
            found=f"HTTP {answer.status_code}",
            hint="give credentials in ~/.netrc or in the configured address",
        )
    if not answer.ok:
        raise FetchError(
            f"{redact(url)} cannot be read",
            found=status_of(answer),
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
        raise NotFoundError(f"{path} is not there") from error
    except PermissionError as error:
        raise FetchError(f"{path} may not be read", hint="check its permissions") from error


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

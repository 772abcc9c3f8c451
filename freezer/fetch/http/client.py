"""Opening addresses: http, https and file, with one way to fail.

netrc, proxies and certificate bundles are those of the ``requests`` library, hence of the user's
environment (``HTTPS_PROXY``, ``REQUESTS_CA_BUNDLE``, ``~/.netrc``).
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import unquote, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from freezer import __version__
from freezer.errors import FetchError
from freezer.fetch.http.redact import redact

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CHUNK = 1 << 18
_TIMEOUT = (15.0, 60.0)
"""Seconds to connect, and seconds of silence."""
_RETRIES = Retry(
    total=4,
    backoff_factor=0.3,
    status_forcelist=(429, 500, 502, 503, 504),
    allowed_methods=("GET", "HEAD"),
    raise_on_status=False,
)
_local = threading.local()


class NotFoundError(FetchError):
    """The server was reached and has no such file."""


class RefusedError(FetchError):
    """The server was reached and refuses access; some say so for files that are not there."""


class RangeUnsupportedError(FetchError):
    """The server does not serve parts of files."""


class BrokenOffError(FetchError):
    """There was no connection, or it broke off; another attempt may help."""


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
        """What the server said beside the bytes; names in any case."""
        self._raw = raw

    def blocks(self) -> Iterator[bytes]:
        """Yield the bytes. Raises ``FetchError`` when the connection breaks off."""
        try:
            yield from self._raw
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise unreachable(self.url, error) from error


@contextmanager
def open_url(
    url: str, *, headers: Mapping[str, str] | None = None, start: int = 0
) -> Iterator[Response]:
    """Open an address, from byte ``start`` on where the server can do that.

    Raises ``NotFoundError`` when there is no such file, ``FetchError`` when the server is out of
    reach or refuses.
    """
    if urlsplit(url).scheme == "file":
        with _open_file(url, start) as response:
            yield response
        return
    wanted = {"Accept-Encoding": "identity", **(headers or {})}
    if start:
        wanted["Range"] = f"bytes={start}-"
    with _get(url, wanted) as answer:
        if start and answer.status_code == 416:
            raise RangeUnsupportedError(f"{redact(url)} has no byte {start}")
        _require_success(url, answer)
        begins = start if answer.status_code == 206 else 0
        length = answer.headers.get("Content-Length")
        size = int(length) if length else None
        response = Response(url, begins, size, answer.iter_content(CHUNK), answer.headers)
        response.unchanged = answer.status_code == 304
        yield response


def get_bytes(url: str, *, limit: int, headers: Mapping[str, str] | None = None) -> bytes:
    """Return what an address serves. Raises ``FetchError`` beyond ``limit`` bytes."""
    parts, size = [], 0
    with open_url(url, headers=headers) as response:
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
    if urlsplit(url).scheme == "file":
        return _file_range(url, start, end)
    span = f"bytes={start}" if start < 0 else f"bytes={start}-{end - 1}"
    with _get(url, {"Accept-Encoding": "identity", "Range": span}) as answer:
        _require_success(url, answer)
        if answer.status_code != 206:
            raise RangeUnsupportedError(f"{redact(url)} is served only whole")
        return bytes(answer.content)


def unreachable(url: str, error: Exception) -> BrokenOffError:
    """Return the error for an address that could not be read."""
    return BrokenOffError(
        f"could not read {redact(url)}",
        found=redact(_reason(error)),
        hint="check the network and the sources in the configuration (`freeze doctor`)",
    )


def _reason(error: Exception) -> str:
    cause: BaseException = error
    while cause.__cause__ or cause.__context__:
        cause = cause.__cause__ or cause.__context__ or cause
    return str(cause) or type(error).__name__


def session() -> requests.Session:
    """Return this thread's session, which keeps connections open and repeats what may be."""
    current: requests.Session | None = getattr(_local, "session", None)
    if current is None:
        current = _local.session = requests.Session()
        current.headers["User-Agent"] = f"freezer/{__version__}"
        adapter = HTTPAdapter(max_retries=_RETRIES)
        current.mount("http://", adapter)
        current.mount("https://", adapter)
    return current


def _get(url: str, headers: Mapping[str, str]) -> requests.Response:
    try:
        return session().get(url, headers=dict(headers), stream=True, timeout=_TIMEOUT)
    except requests.RequestException as error:
        raise unreachable(url, error) from error


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
            found=f"HTTP {answer.status_code} {answer.reason}",
            hint="try again later, or configure a mirror",
        )


def _path(url: str) -> Path:
    return Path(unquote(urlsplit(url).path))


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

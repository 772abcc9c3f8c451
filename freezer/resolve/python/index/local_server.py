"""Serves an index to a resolver on this machine while it runs.

The child process uses one address on the loopback interface with a secret path segment; the
credentials of the real indexes stay in this process. The server also has the metadata of each
wheel, read out of the wheel where the real index has none, so that nothing else is downloaded.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import tempfile
import threading
import zipfile
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedReader
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from freezer.errors import FetchError, FreezerError, IntegrityError
from freezer.fetch.http.client import (
    CHUNK,
    NotFoundError,
    RangeUnsupportedError,
    get_bytes,
    open_url,
)
from freezer.fetch.http.remote_zip import RangeFile
from freezer.fetch.http.zip_errors import zip_errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freezer.fetch.python.simple_api import IndexFile
    from freezer.resolve.python.index.dated import DatedIndex

_JSON = "application/vnd.pypi.simple.v1+json"
_POLL = 0.02
"""Polling interval of the server's shutdown, in seconds."""
_METADATA = 16 << 20
"""Maximum bytes of metadata."""


class LocalIndex:
    """The index that is served, at one address."""

    def __init__(self, index: DatedIndex) -> None:
        self.index = index
        self.word = secrets.token_urlsafe(16)
        self.failure: FreezerError | None = None
        """The first error of a real index; the child only sees a failed request."""
        self._metadata: dict[str, bytes] = {}

    def page(self, project: str) -> bytes:
        """Return a project's page (PEP 691). Raises ``NotFoundError``, ``FetchError``."""
        files = self.index.files(project)
        if not files:
            raise NotFoundError(f"no {project}")
        entries = [_entry(file, f"/{self.word}/file/{project}") for file in files]
        document = {"meta": {"api-version": "1.0"}, "name": project, "files": entries}
        return json.dumps(document).encode()

    def file(self, project: str, name: str) -> IndexFile:
        """Return a file that a page lists. Raises ``NotFoundError``."""
        for file in self.index.files(project):
            if file.name == name:
                return file
        raise NotFoundError(f"no {name}")

    def metadata(self, file: IndexFile) -> bytes:
        """Return a wheel's ``METADATA``, read once. Raises ``FetchError``, ``IntegrityError``."""
        if file.url not in self._metadata:
            self._metadata[file.url] = metadata_of(file)
        return self._metadata[file.url]


def metadata_of(file: IndexFile) -> bytes:
    """Return a wheel's ``METADATA``, from the index or out of the wheel.

    Raises ``FetchError``, ``IntegrityError``.
    """
    if file.metadata is None:
        return read_metadata(file)
    try:
        data = get_bytes(f"{file.url}.metadata", limit=_METADATA)
    except NotFoundError:
        return read_metadata(file)  # some indexes list metadata that they do not have
    if file.metadata and hashlib.sha256(data).hexdigest() != file.metadata:
        raise IntegrityError(
            f"the metadata of {file.name} does not have the hash that the index lists",
            expected=f"sha256 {file.metadata}",
            hint="do not use that index until you know why",
        )
    return data


def read_metadata(file: IndexFile) -> bytes:
    """Return a wheel's ``METADATA``, read from the wheel itself. Raises ``FetchError``."""
    try:
        size = file.size if file.size is not None else _size(file.url)
        return _metadata_of(BufferedReader(RangeFile(file.url, size)), file.name)
    except RangeUnsupportedError:
        with tempfile.TemporaryFile() as complete:
            with open_url(file.url) as response:
                for block in response.blocks():
                    complete.write(block)
            return _metadata_of(complete, file.name)


def _size(url: str) -> int:
    with open_url(url) as response:
        return response.size or 0


def _metadata_of(stream: IO[bytes], name: str) -> bytes:
    def refused(why: str) -> FetchError:
        return FetchError(f"{name} is not a readable wheel", found=why)

    with zip_errors(refused), stream, zipfile.ZipFile(stream) as wheel:
        for info in wheel.infolist():
            folder, _, file = info.filename.partition("/")
            if folder.endswith(".dist-info") and file == "METADATA":
                return wheel.read(info) if info.file_size <= _METADATA else b""
    raise FetchError(f"{name} has no metadata")


def _entry(file: IndexFile, folder: str) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "filename": file.name,
        "url": f"{folder}/{quote(file.name)}",
        "hashes": {"sha256": file.sha256} if file.sha256 else {},
        "yanked": file.yanked or file.yanked is not None,
    }
    if file.requires_python:
        entry["requires-python"] = file.requires_python
    if file.name.endswith(".whl"):
        entry["core-metadata"] = True
    return entry


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, local: LocalIndex, *args: Any) -> None:
        self._loopback = local
        super().__init__(*args)

    def do_GET(self) -> None:
        """Handle ``/TOKEN/simple/PROJECT/`` and ``/TOKEN/file/PROJECT/NAME[.metadata]``."""
        word, _, rest = unquote(self.path).removeprefix("/").partition("/")
        kind, _, name = rest.rstrip("/").partition("/")
        try:
            if not secrets.compare_digest(word, self._loopback.word):
                raise NotFoundError("another token")
            self._answer(kind, name)
        except NotFoundError:
            self.send_error(404)
        except FreezerError as error:
            self._loopback.failure = self._loopback.failure or error
            self.send_error(502)

    def _answer(self, kind: str, name: str) -> None:
        if kind == "simple":
            self._send(self._loopback.page(name), _JSON)
            return
        project, _, file = name.partition("/")
        listed = self._loopback.file(project, file.removesuffix(".metadata"))
        if file.endswith(".metadata"):
            self._send(self._loopback.metadata(listed), "text/plain; charset=utf-8")
        else:
            self._pass_on(listed)

    def _send(self, data: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _pass_on(self, file: IndexFile) -> None:
        with open_url(file.url) as response:
            self.send_response(200)
            self.send_header("Content-Type", "application/octet-stream")
            if response.size is not None:
                self.send_header("Content-Length", str(response.size))
            self.end_headers()
            for block in response.blocks():
                for start in range(0, len(block), CHUNK):
                    self.wfile.write(block[start : start + CHUNK])

    def log_message(self, *_: Any) -> None:
        """Suppress the request log."""


@contextmanager
def serving(index: DatedIndex) -> Iterator[tuple[str, LocalIndex]]:
    """Serve an index; yield its URL for pip's ``index-url``, and the served index."""
    local = LocalIndex(index)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, local))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(_POLL,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/{local.word}/simple/", local
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

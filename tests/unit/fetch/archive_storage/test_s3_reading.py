"""Reading from an S3 server that breaks off, and never sends what was there."""

from __future__ import annotations

import hashlib
import http.server
import threading
from collections.abc import Iterator

import pytest

from freezer.errors import FetchError, IntegrityError
from freezer.fetch.archive_storage.interface import NotStoredError
from freezer.fetch.archive_storage.s3 import S3Storage
from freezer.governance.archive.ocfl import checked

DATA = bytes(range(256)) * 8000


class Breaking:
    """Answers reads of one object; each sends a share of what is asked for, and breaks off."""

    def __init__(self) -> None:
        self.shares = [1.0]
        self.ranges: list[str | None] = []
        self.data = DATA
        self.tag = '"one"'


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Breaking]:
    state = Breaking()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            state.ranges.append(asked)
            if not self.path.endswith("/there"):
                self.send_error(404)
                return
            if self.headers.get("If-Match", state.tag) != state.tag:
                self.send_error(412)
                return
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
            body = state.data[start:]
            share = state.shares.pop(0) if len(state.shares) > 1 else state.shares[0]
            self.send_response(206 if asked else 200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", state.tag)
            self.end_headers()
            self.wfile.write(body[: int(len(body) * share)])
            self.close_connection = True

        def log_message(self, *arguments: object) -> None: ...

    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
    for name, value in {
        "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{running.server_port}",
        "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1",
        "NO_PROXY": "127.0.0.1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    yield state
    running.shutdown()
    running.server_close()


def test_a_download_goes_on_where_it_broke(server: Breaking) -> None:
    server.shares = [0.5, 0.5, 1.0]
    assert b"".join(S3Storage("bucket", "x").blocks("there")) == DATA
    assert server.ranges == [None, "bytes=1024000-", "bytes=1536000-"]


def test_a_download_that_breaks_each_time_ends(server: Breaking) -> None:
    server.shares = [0.5, 0.0]
    with pytest.raises(FetchError, match="cannot be read"):
        list(S3Storage("bucket", "x").blocks("there"))
    assert len(server.ranges) < 10


def test_another_object_in_the_middle_is_no_continuation(server: Breaking) -> None:
    server.shares = [0.5, 1.0]
    blocks = S3Storage("bucket", "x").blocks("there")
    next(blocks)
    server.data, server.tag = b"other" * 500_000, '"two"'
    with pytest.raises(FetchError):
        list(blocks)


def test_small_files_are_bounded(server: Breaking) -> None:
    storage = S3Storage("bucket", "x")
    with pytest.raises(IntegrityError, match="too large"):
        storage.read("there", 1000)
    with pytest.raises(NotStoredError):
        storage.read("missing", 1000)
    with pytest.raises(IntegrityError, match="its bytes changed"):
        list(checked(storage.blocks("there"), "there", hashlib.sha256(b"").hexdigest()))

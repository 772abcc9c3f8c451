"""Downloads against a server that misbehaves in every way that servers do."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from freezer.errors import ArtifactGoneError, FetchError, IntegrityError
from freezer.fetch.store.download import fetch_all
from freezer.fetch.store.interface import Location
from freezer.fetch.store.store import Store
from freezer.model.artifact import Artifact
from freezer.model.events import SilentReporter

DATA = bytes(range(256)) * 4096


@dataclass
class Server:
    """A server whose next answers are scripted."""

    address: str = ""
    answers: list[Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=list)
    ranges: list[str | None] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.ranges.append(self.headers.get("Range"))
            answer = state.answers.pop(0) if len(state.answers) > 1 else state.answers[0]
            answer(self)

        def log_message(self, *args: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.address = f"http://127.0.0.1:{httpd.server_port}/file"
    yield state
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def whole(data: bytes = DATA) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(request: BaseHTTPRequestHandler) -> None:
        start = int((request.headers.get("Range") or "bytes=0-")[6:-1])
        request.send_response(206 if start else 200)
        request.send_header("Content-Length", str(len(data) - start))
        request.end_headers()
        request.wfile.write(data[start:])

    return answer


def cut_after(count: int) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(request: BaseHTTPRequestHandler) -> None:
        start = int((request.headers.get("Range") or "bytes=0-")[6:-1])
        request.send_response(206 if start else 200)
        request.send_header("Content-Length", str(len(DATA) - start))
        request.end_headers()
        request.wfile.write(DATA[start : start + count])
        request.close_connection = True

    return answer


def ignores_ranges(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Length", str(len(DATA)))
    request.end_headers()
    request.wfile.write(DATA)


def status(code: int) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(code)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return answer


class At:
    """A source with one address."""

    def __init__(self, *urls: str) -> None:
        self.urls = urls

    def serves(self, artifact: Artifact) -> bool:
        return artifact.source == "pypi"

    def locate(self, artifact: Artifact) -> Iterator[Location]:
        yield from map(Location, self.urls)


ARTIFACT = Artifact(
    source="pypi", file="file.whl", size=len(DATA), sha256=hashlib.sha256(DATA).hexdigest()
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


def fetch(store: Store, *urls: str) -> Path:
    got = fetch_all([ARTIFACT], store=store, sources=[At(*urls)], report=SilentReporter())
    return got[ARTIFACT.sha256]


def test_a_file_arrives_and_is_not_fetched_twice(server: Server, store: Store) -> None:
    server.answers = [whole()]
    assert fetch(store, server.address).read_bytes() == DATA
    assert fetch(store, server.address).read_bytes() == DATA
    assert len(server.ranges) == 1


def test_a_broken_connection_is_resumed_where_it_stopped(server: Server, store: Store) -> None:
    server.answers = [cut_after(300_000), cut_after(300_000), whole()]
    assert fetch(store, server.address).read_bytes() == DATA
    assert server.ranges[0] is None
    assert all(found is not None for found in server.ranges[1:])


def test_a_server_that_only_breaks_off_is_given_up(server: Server, store: Store) -> None:
    server.answers = [cut_after(0)]
    with pytest.raises(FetchError):
        fetch(store, server.address)
    assert not store.has(ARTIFACT.sha256)


def test_what_an_earlier_run_left_is_used(server: Server, store: Store) -> None:
    store.partial(ARTIFACT.sha256).write_bytes(DATA[:1000])
    server.answers = [whole()]
    assert fetch(store, server.address).read_bytes() == DATA
    assert server.ranges == ["bytes=1000-"]


def test_a_spoiled_part_is_thrown_away(server: Server, store: Store) -> None:
    store.partial(ARTIFACT.sha256).write_bytes(b"x" * 1000)
    server.answers = [whole()]
    assert fetch(store, server.address).read_bytes() == DATA
    assert server.ranges == ["bytes=1000-", None]


@pytest.mark.parametrize("left", [1000, len(DATA)])
def test_a_server_without_ranges_sends_it_all(server: Server, store: Store, left: int) -> None:
    store.partial(ARTIFACT.sha256).write_bytes(DATA[:left])
    server.answers = [ignores_ranges]
    assert fetch(store, server.address).read_bytes() == DATA


@pytest.mark.parametrize("data", [DATA[:-1] + b"x", DATA + b"x", DATA[:-5], b""])
def test_other_bytes_are_refused_and_not_kept(server: Server, store: Store, data: bytes) -> None:
    server.answers = [whole(data)]
    with pytest.raises(IntegrityError) as caught:
        fetch(store, server.address.replace("http://", "http://user:hunter2@"))
    assert "hunter2" not in str(caught.value)
    assert not store.has(ARTIFACT.sha256)
    assert not store.partial(ARTIFACT.sha256).exists()


def test_the_next_address_is_asked_when_one_lacks_the_file(server: Server, store: Store) -> None:
    server.answers = [status(404), whole()]
    assert fetch(store, server.address, server.address + "2").read_bytes() == DATA


def test_gone_is_not_the_same_as_out_of_reach(server: Server, store: Store) -> None:
    server.answers = [status(404)]
    with pytest.raises(ArtifactGoneError) as gone:
        fetch(store, server.address)
    assert gone.value.exit_code == 1
    assert "file.whl" in str(gone.value)
    with pytest.raises(FetchError) as unreachable:
        fetch(store, "http://127.0.0.1:9/file")
    assert not isinstance(unreachable.value, ArtifactGoneError)
    assert unreachable.value.exit_code == 2


def test_refusal_says_where_credentials_belong(server: Server, store: Store) -> None:
    server.answers = [status(401)]
    with pytest.raises(FetchError, match="netrc"):
        fetch(store, server.address)


def test_files_on_disk_are_addresses_too(store: Store, tmp_path: Path) -> None:
    (tmp_path / "file.whl").write_bytes(DATA)
    assert fetch(store, (tmp_path / "file.whl").as_uri()).read_bytes() == DATA

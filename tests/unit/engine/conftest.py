"""An engine that is a socket and a script: what a real one cannot be made to do on demand."""

from __future__ import annotations

import json
import socketserver
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

import pytest

from freezer.engine.connect.connect import connect
from freezer.engine.interface import EngineInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from freezer.engine.engine import DockerEngine

VERSION = {"ApiVersion": "1.41", "Version": "20.10.24", "Arch": "amd64"}
INFO = {
    "Driver": "overlay2",
    "DockerRootDir": "/var/lib/docker",
    "NCPU": 2,
    "MemTotal": 1 << 30,
    "Architecture": "x86_64",
}

Answer = tuple[int, Any]
"""Status and JSON document; bytes are sent as they are, so that they can be cut off."""


@dataclass
class FakeEngine:
    """Answers by method and the path's end; hangs up on everything that it was not told about."""

    address: str
    answers: dict[tuple[str, str], Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def find(self, method: str, path: str) -> Answer | None:
        bare = path.split("?", maxsplit=1)[0]
        self.asked.append(f"{method} {bare}")
        for (wanted, end), answer in self.answers.items():
            if wanted == method and bare.endswith(end):
                return answer
        return None


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeEngine]:
    """Serve a fake engine on a socket of its own."""
    path = tmp_path / "engine.sock"
    engine = FakeEngine(f"unix://{path}")
    engine.answers[("GET", "/version")] = (200, VERSION)
    engine.answers[("GET", "/info")] = (200, INFO)
    with _Server(str(path), handler(engine)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield engine
        server.shutdown()
        thread.join()


@pytest.fixture
def connected(fake: FakeEngine) -> Iterator[DockerEngine]:
    """Return a client that talks to the fake engine."""
    engine = connect(fake.address)
    yield engine
    engine.close()


@pytest.fixture
def info() -> Callable[..., EngineInfo]:
    """Return a function that makes an ``EngineInfo``, Docker 20.10 unless told otherwise."""

    def make(**changes: Any) -> EngineInfo:
        known: dict[str, Any] = {
            "name": "docker",
            "version": "20.10.24",
            "api_version": "1.41",
            "architecture": "x86_64",
            "storage_driver": "overlay2",
            "buildkit": True,
            "address": "unix:///var/run/docker.sock",
            "root": "/var/lib/docker",
            "cpus": 2,
            "memory": 1 << 30,
        }
        return EngineInfo(**{**known, **changes})

    return make


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def get_request(self) -> tuple[Any, Any]:
        request, _ = super().get_request()
        return request, ("client", 0)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep quiet about clients that leave: they are meant to."""


def handler(engine: FakeEngine) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            self._swallow_body()
            found = engine.find(self.command, self.path)
            self.close_connection = True
            if found is not None:
                self._send(*found)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _answer  # noqa: N815

        def _swallow_body(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.headers.get("Transfer-Encoding") == "chunked":
                while size := int(self.rfile.readline(), 16):
                    self.rfile.read(size + 2)
                self.rfile.readline()

        def _send(self, status: int, document: Any) -> None:
            raw = isinstance(document, bytes)
            body = document if raw else json.dumps(document).encode()
            self.send_response(status)
            # Said, because a client that keeps it would ask the next time on a closed one.
            self.send_header("Connection", "close")
            if raw:
                self.send_header("Transfer-Encoding", "chunked")
            else:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Write nothing to the test's output."""

    return Handler

"""An engine that is a socket and a script: what a real one cannot be made to do on demand."""

from __future__ import annotations

import json
import socketserver
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

Answer = tuple[int, Any]
"""Status and JSON document; bytes are sent as they are, so that they can be cut off."""


@dataclass
class FakeEngine:
    """Answers by method and the path's end; hangs up on everything that it was not told about."""

    address: str
    answers: dict[tuple[str, str], Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    bodies: dict[str, bytes] = field(default_factory=dict)
    """The last body sent to each path, but for those in chunks."""

    def find(self, method: str, path: str) -> Answer | None:
        bare = path.split("?", maxsplit=1)[0]
        self.asked.append(f"{method} {bare}")
        for (wanted, end), answer in self.answers.items():
            if wanted == method and bare.endswith(end):
                return answer
        return None


class EngineServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
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
            engine.bodies[self.path.split("?", maxsplit=1)[0]] = self._body()
            found = engine.find(self.command, self.path)
            self.close_connection = True
            if found is not None:
                self._send(*found)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _answer  # noqa: N815

        def _body(self) -> bytes:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.headers.get("Transfer-Encoding") == "chunked":
                while size := int(self.rfile.readline(), 16):
                    self.rfile.read(size + 2)
                self.rfile.readline()
            return body

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

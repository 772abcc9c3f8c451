"""A server on the loopback interface with given answers, which keeps what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@contextmanager
def answering(
    answer: Any, status: int = 200
) -> Iterator[tuple[str, list[tuple[str, dict[str, Any]]]]]:
    """A server whose answer is a document, or a function of the path and the number of requests."""
    asked: list[tuple[str, dict[str, Any]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked.append((self.path, {**dict(self.headers), "body": body}))
            given = answer(self.path, len(asked)) if callable(answer) else answer
            code, given = given if isinstance(given, tuple) else (status, given)
            data = given if isinstance(given, bytes) else json.dumps(given).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_PUT = do_PATCH = do_POST  # noqa: N815 - names of http.server

        def log_message(self, *_: Any) -> None:
            pass

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=made.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{made.server_port}", asked
    finally:
        made.shutdown()
        thread.join()
        made.server_close()

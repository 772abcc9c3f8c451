"""Servers that a test scripts byte by byte, on loopback."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Reply = Callable[[str, dict[str, str], socket.socket], None]
"""Answers one request, given its first line and headers (names in lower case), on a socket."""


@dataclass
class RawServer:
    """What it was asked; ``replies`` are used in turn, the last one for all that follows."""

    replies: Sequence[Reply]
    port: int = 0
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def raw_server(*replies: Reply) -> Iterator[RawServer]:
    """Serve one request for each connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = RawServer(replies, listener.getsockname()[1])
        threading.Thread(target=_accept, args=(server, listener), daemon=True).start()
        try:
            yield server
        finally:
            server.closing.set()


def _accept(server: RawServer, listener: socket.socket) -> None:
    with suppress(OSError):
        while not server.closing.is_set():
            connection, _ = listener.accept()
            threading.Thread(target=_serve, args=(server, connection), daemon=True).start()


def _serve(server: RawServer, connection: socket.socket) -> None:
    with connection, suppress(OSError):
        text = b""
        while b"\r\n\r\n" not in text:
            if not (block := connection.recv(65536)):
                return
            text += block
        head, _, body = text.partition(b"\r\n\r\n")
        first, *rest = head.decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in rest)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        missing = int(headers.get("content-length", 0)) - len(body)
        while missing > 0:
            block = connection.recv(65536)
            body, missing = body + block, missing - len(block)
        headers["body"] = body.decode("latin-1")
        server.asked.append((first, headers))
        reply = server.replies[min(len(server.asked), len(server.replies)) - 1]
        reply(first, headers, connection)


def answer(status: str = "200 OK", body: bytes = b"", **headers: str) -> Reply:
    """Return a reply that is whole; ``Content_Length`` and the like become headers."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    named.setdefault("Content-Length", str(len(body)))
    lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    whole = f"HTTP/1.1 {status}\r\n{lines}Connection: close\r\n\r\n".encode("latin-1") + body
    return lambda _first, _headers, connection: connection.sendall(whole)


def drip(head: bytes, piece: bytes = b"x", pause: float = 0.05) -> Reply:
    """Return a reply that begins, and then sends a little now and then for ever."""

    def reply(_first: str, _headers: dict[str, str], connection: socket.socket) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(piece)
            time.sleep(pause)

    return reply


def flood(head: bytes) -> Reply:
    """Return a reply that sends as fast as it can, for ever."""
    return drip(head, b"x" * (1 << 20), 0.0)

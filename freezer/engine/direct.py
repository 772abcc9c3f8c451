"""Plain questions over an engine's local socket, without the docker SDK.

To import the SDK takes a third of a command that has nothing to do. What such a command asks is
asked here; whatever is not answered plainly is asked again through the SDK, whose client is made
when it is first needed.
"""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from freezer.model.parsing import parse_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from freezer.engine.watch import Request, Watch

PATIENCE: Final = 2.0
"""Seconds for an answer; after that, the SDK is used, and the engine is watched."""
_LARGEST: Final = 64 << 20
"""Bytes of an answer."""
_BLOCK: Final = 1 << 16


class DirectSocket:
    """A unix socket that an engine listens on."""

    def __init__(self, path: str, version: str = "") -> None:
        """``version`` is that of the API, such as ``1.41``."""
        self._path = path
        self._prefix = f"/v{version}" if version else ""

    def get(self, path: str) -> Any:
        """Return the JSON document at a path; None where there is nothing.

        Raises ``OSError`` when the engine does not answer in time, ``ValueError`` for any answer
        but a plain document.
        """
        request = f"GET {self._prefix}{path} HTTP/1.0\r\nHost: docker\r\n\r\n"
        head, found, body = self._exchange(request.encode("ascii")).partition(b"\r\n\r\n")
        status, *headers = head.decode("latin-1").lower().split("\r\n")
        code = status.split(" ")[1:2]
        plain = not any(line.startswith("transfer-encoding") for line in headers)
        if code == ["404"] and found:
            return None
        if code != ["200"] or not plain:
            msg = f"the answer is not plain: {status[:60]!r}"
            raise ValueError(msg)
        return parse_json(body)

    def image(self, reference: str) -> Any:
        """Return what the engine knows of an image, as `get` does."""
        return self.get(f"/images/{quote(reference, safe='/:@')}/json")

    def _exchange(self, request: bytes) -> bytes:
        """Send a request; return the answer, which ends with the connection (HTTP/1.0)."""
        with socket.socket(socket.AF_UNIX) as connection:
            deadline = time.monotonic() + PATIENCE
            connection.settimeout(PATIENCE)
            connection.connect(self._path)
            connection.sendall(request)
            blocks, size = [], 0
            while block := connection.recv(_BLOCK):
                blocks.append(block)
                size += len(block)
                if size > _LARGEST or time.monotonic() > deadline:
                    msg = "the answer is too long, or takes too long"
                    raise ValueError(msg)
            return b"".join(blocks)


class LateClient:
    """A ``docker.APIClient`` that is made when it is first used."""

    def __init__(self, make: Callable[[], tuple[Any, Watch]]) -> None:
        self._make = make
        self._made: tuple[Any, Watch] | None = None
        self._making = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._use()[0], name)

    def _use(self) -> tuple[Any, Watch]:
        with self._making:
            if self._made is None:
                self._made = self._make()
            return self._made

    def over(self) -> AbstractContextManager[Request]:
        """Watch a block of requests, as `freezer.engine.watch.Watch.over` does."""
        return self._use()[1].over()

    def close(self) -> None:
        """Close the connections, if there are any."""
        if self._made is not None:
            self._made[0].close()

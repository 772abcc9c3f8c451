"""Time limits that hold whatever a server does.

A socket's own timeout only limits silence: a server that sends a byte now and then never exceeds
it. A watchdog shuts the socket down when the time is over, which ends all pending reads.
"""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING, Any

from freezer.errors import FetchError

if TYPE_CHECKING:
    from types import TracebackType

SOCKET = "freezer_socket"
"""The attribute of a response with its socket."""


class TooSlowError(FetchError):
    """The server responds too slowly."""


class Watchdog:
    """Shuts a socket down ``seconds`` after the start of the block, or the last feeding."""

    def __init__(self, source: Any, seconds: float) -> None:
        """``source`` is a socket, or a response with its socket; None is never shut down."""
        known = isinstance(source, socket.socket)
        self._socket: Any = source if known else getattr(source, SOCKET, None)
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds
        self._over = threading.Event()
        self._fired = False

    def __enter__(self) -> Watchdog:
        if self._socket is not None:
            threading.Thread(target=self._watch, daemon=True, name="watchdog").start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()

    def feed(self) -> None:
        """Restart the time."""
        self._deadline = time.monotonic() + self._seconds

    def check(self, shown: str) -> None:
        """Raise ``TooSlowError`` when the time is over; ``shown`` is the URL for messages."""
        if self._fired:
            raise TooSlowError(
                f"{shown} sends too slowly",
                found=f"not finished after {self._seconds:.0f} seconds",
                hint="try again later, or configure another mirror",
            )

    def _watch(self) -> None:
        while (left := self._deadline - time.monotonic()) > 0:
            if self._over.wait(left):
                return
        self._fired = True
        try:
            # TLS sockets have a shutdown of their own, which is not thread-safe.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
        except OSError:
            return  # closed already

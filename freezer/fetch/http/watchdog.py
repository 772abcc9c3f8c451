"""Time limits that hold whatever a server does.

A socket's own timeout is for silence: a server that sends a byte now and then never meets it. A
watchdog shuts the socket down when the time is over, which ends whatever is waiting to read.
"""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from freezer.errors import FetchError

if TYPE_CHECKING:
    from types import TracebackType

HEADERS = 90.0
"""Seconds in which the headers of an answer must have come."""
_SOCKET = "freezer_socket"


class TooSlowError(FetchError):
    """The server answers, but too slowly to wait for."""


class Watchdog:
    """Shuts a socket down ``seconds`` after the start of the block, or after it was last fed."""

    def __init__(self, source: Any, seconds: float) -> None:
        """``source`` is a socket, or an answer that knows its socket; None is never shut down."""
        known = isinstance(source, socket.socket)
        self._socket: Any = source if known else getattr(source, _SOCKET, None)
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
        """Begin the time anew."""
        self._deadline = time.monotonic() + self._seconds

    def check(self, shown: str) -> None:
        """Raise ``TooSlowError`` when the time was over; ``shown`` is the address, for messages."""
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
            # TLS sockets have a shutdown of their own, which is not for use by another thread.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
        except OSError:
            return  # closed already


class _Guarded:
    """A connection whose headers have to come in time, and whose answers know their socket."""

    sock: Any
    host: str

    def getresponse(self) -> Any:
        connected = self.sock
        with Watchdog(connected, HEADERS) as watchdog:
            try:
                response = super().getresponse()  # type: ignore[misc]
            except Exception:
                watchdog.check(self.host)
                raise
            try:
                watchdog.check(self.host)  # what looks whole may have been cut off
            except TooSlowError:
                response.close()
                raise
        setattr(response, _SOCKET, connected)
        return response


class _HTTP(_Guarded, HTTPConnection):
    pass


class _HTTPS(_Guarded, HTTPSConnection):
    pass


class _HTTPPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _HTTP


class _HTTPSPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _HTTPS


_POOLS = {"http": _HTTPPool, "https": _HTTPSPool}


class GuardedPools:
    """For an adapter of ``requests``: makes its pools use guarded connections, proxies included."""

    poolmanager: Any

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Make the pools of direct connections."""
        super().init_poolmanager(*arguments, **options)  # type: ignore[misc]
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *arguments: Any, **options: Any) -> Any:
        """Return the pools of connections through a proxy."""
        manager = super().proxy_manager_for(*arguments, **options)  # type: ignore[misc]
        manager.pool_classes_by_scheme = _POOLS
        return manager

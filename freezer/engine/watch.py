"""Detects an engine that has stopped responding, during any request.

A busy engine may work on one request for many minutes, such as loading an image or running a
training without output. A time limit would end it too early or too late. So a long request is
accompanied by short ones: as long as the engine responds to ``/_ping`` it is working.
"""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

import requests

if TYPE_CHECKING:
    from collections.abc import Iterator

SILENCE: Final = 20.0
"""Seconds without any response after which an engine is considered dead."""
FIRST: Final = 2.0
"""Seconds from the start of a request, or from a response, to the next ping."""
_CUT: Final = 0.2


@dataclass
class Request:
    """One or several requests for one purpose, while they are watched."""

    silent: bool = False
    """Whether it was aborted because the engine stopped responding."""


class Watch:
    """Watches the requests of one connection, and aborts them when the engine is silent."""

    def __init__(self, api: Any, *, silence: float = SILENCE, first: float = FIRST) -> None:
        self._api = api
        self._silence = silence
        self._first = first
        self._unresponsive = False
        """Whether the engine did not respond last time: then clean-up does not wait."""
        self._sockets: WeakSet[socket.socket] = WeakSet()
        self._pools: WeakSet[Any] = WeakSet()
        for adapter in {id(one): one for one in api.adapters.values()}.values():
            self._track(adapter)

    @contextmanager
    def over(self) -> Iterator[Request]:
        """Watch a block of requests; an unanswered one ends with an error."""
        request, done = Request(), threading.Event()
        timer = threading.Timer(
            0.0 if self._unresponsive else self._first, self._ping, (request, done)
        )
        timer.daemon = True
        timer.start()
        try:
            yield request
        finally:
            done.set()
            timer.cancel()

    def _ping(self, request: Request, done: threading.Event) -> None:
        patience = self._first if self._unresponsive else self._silence - self._first
        while not done.is_set():
            self._unresponsive = not self._responds(patience)
            if self._unresponsive:
                if not done.is_set():
                    request.silent = True
                    self._abort(done)
                return
            done.wait(self._first)
            patience = self._silence - self._first

    def _responds(self, patience: float) -> bool:
        """Return whether the engine responds, including with an error or a hang-up."""
        url = self._api._url("/_ping", versioned_api=False)  # noqa: SLF001
        try:
            with self._api.get(url, timeout=patience):
                return True
        except requests.Timeout:
            return False
        except (requests.RequestException, OSError):
            return True  # the watched request fails as well, with a better reason

    def _abort(self, done: threading.Event) -> None:
        """Abort every read of the connection, including those of later requests."""
        while not done.is_set():
            for one in list(self._sockets):
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
            done.wait(_CUT)

    def _track(self, adapter: Any) -> None:
        """Record every socket that a ``requests`` adapter opens, in any of its pools."""
        original = adapter.get_connection_with_tls_context

        def tracked(*args: Any, **kwargs: Any) -> Any:
            pool = original(*args, **kwargs)
            if pool not in self._pools:
                self._pools.add(pool)
                new = pool._new_conn  # noqa: SLF001
                pool._new_conn = lambda: self._connection(new())  # noqa: SLF001
            return pool

        adapter.get_connection_with_tls_context = tracked

    def _connection(self, made: Any) -> Any:
        connect = made.connect

        def connected() -> None:
            connect()
            self._sockets.add(made.sock)

        made.connect = connected
        return made

"""Notices an engine that has fallen silent, whatever it was asked to do.

A busy engine may work on one request for many minutes: it loads an image, or runs a training that
prints nothing. A time limit for the request would give up on it too early or too late. So a long
request is accompanied by short ones: as long as the engine answers ``/_ping`` it is at work.
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
"""Seconds without any answer after which an engine is given up."""
FIRST: Final = 2.0
"""Seconds from the start of a request, or from an answer, until the engine is asked whether it is
there."""
_CUT: Final = 0.2


@dataclass
class Request:
    """A request, or several for one purpose, while it is watched."""

    silent: bool = False
    """Whether it was cut off, as the engine answered nothing any more."""


class Watch:
    """Watches the requests of one connection, and cuts them off when the engine is silent."""

    def __init__(self, api: Any, *, silence: float = SILENCE, first: float = FIRST) -> None:
        self._api = api
        self._silence = silence
        self._first = first
        self._gone = False
        """Whether the engine answered nothing last: cleaning up after that waits no longer."""
        self._sockets: WeakSet[socket.socket] = WeakSet()
        self._pools: WeakSet[Any] = WeakSet()
        for adapter in {id(one): one for one in api.adapters.values()}.values():
            self._track(adapter)

    @contextmanager
    def over(self) -> Iterator[Request]:
        """Watch a block of requests; one that the engine does not answer ends with an error."""
        request, done = Request(), threading.Event()
        timer = threading.Timer(0.0 if self._gone else self._first, self._ask, (request, done))
        timer.daemon = True
        timer.start()
        try:
            yield request
        finally:
            done.set()
            timer.cancel()

    def _ask(self, request: Request, done: threading.Event) -> None:
        patience = self._first if self._gone else self._silence - self._first
        while not done.is_set():
            self._gone = not self._answers(patience)
            if self._gone:
                if not done.is_set():
                    request.silent = True
                    self._cut(done)
                return
            done.wait(self._first)
            patience = self._silence - self._first

    def _answers(self, patience: float) -> bool:
        """Return whether the engine is there: also when it refuses, or hangs up."""
        url = self._api._url("/_ping", versioned_api=False)  # noqa: SLF001
        try:
            with self._api.get(url, timeout=patience):
                return True
        except requests.Timeout:
            return False
        except (requests.RequestException, OSError):
            return True  # the request that is watched fails alike, with a better reason

    def _cut(self, done: threading.Event) -> None:
        """End every read of the connection, also of requests that are made from now on."""
        while not done.is_set():
            for one in list(self._sockets):
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
            done.wait(_CUT)

    def _track(self, adapter: Any) -> None:
        """Learn of every socket that an adapter of requests opens, whichever pool it is in."""
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

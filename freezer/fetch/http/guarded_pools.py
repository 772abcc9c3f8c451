"""``urllib3`` connections with a time limit for headers, for ``requests``."""

from __future__ import annotations

from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from freezer.fetch.http.watchdog import SOCKET, TooSlowError, Watchdog

HEADERS = 90.0
"""Maximum seconds for the headers of a response."""


class _Guarded:
    """A connection with a time limit for headers, whose responses know their socket."""

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
                watchdog.check(self.host)  # an apparently complete response may have been truncated
            except TooSlowError:
                response.close()
                raise
        setattr(response, SOCKET, connected)
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
    """Makes the pools of a ``requests`` adapter use guarded connections, proxies included."""

    poolmanager: Any

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Create the pools of direct connections."""
        super().init_poolmanager(*arguments, **options)  # type: ignore[misc]
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *arguments: Any, **options: Any) -> Any:
        """Return the pools of connections through a proxy."""
        manager = super().proxy_manager_for(*arguments, **options)  # type: ignore[misc]
        manager.pool_classes_by_scheme = _POOLS
        return manager

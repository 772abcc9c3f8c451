"""TCP ports of the loopback interface, for servers that are told theirs."""

from __future__ import annotations

import itertools
import os
import socket

_FIRST, _COUNT = 10_000, 20_000
_tried = itertools.count(os.getpid() * 101)


def free_port() -> int:
    """Return a port that nothing uses and that this process did not return before.

    It is below those that the kernel gives to connections: one of these could be taken before the
    server listens, or while it restarts.
    """
    while True:
        port = _FIRST + next(_tried) % _COUNT
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port

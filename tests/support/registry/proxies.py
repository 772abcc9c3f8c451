"""An engine that goes away: a socket that passes everything on to the real one, until it is cut."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class Proxy:
    """Passes bytes on; goes away for good when it has seen given bytes from the client."""

    def __init__(
        self, path: Path, target: str, fatal: bytes, then: Callable[[], object] | None = None
    ) -> None:
        self.address = f"unix://{path}"
        self.cut = threading.Event()
        self.last = b""
        self._path, self._target, self._fatal, self._then = path, target, fatal, then
        self._threads: list[threading.Thread] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._listener.settimeout(0.05)

    def serve(self) -> None:
        """Take connections until cut."""
        with self._listener:
            while not self.cut.is_set():
                with suppress(TimeoutError):
                    client, _ = self._listener.accept()
                    thread = threading.Thread(target=self._pass_on, args=(client,))
                    thread.start()
                    self._threads.append(thread)
        self._path.unlink()
        for thread in self._threads:
            thread.join()

    def _pass_on(self, client: socket.socket) -> None:
        # Either side may hang up while there is something to pass on.
        with client, socket.socket(socket.AF_UNIX) as engine, suppress(ConnectionError):
            engine.connect(self._target)
            other = {client: engine, engine: client}
            while not self.cut.is_set():
                for source in select.select(list(other), [], [], 0.05)[0]:
                    data = source.recv(1 << 16)
                    if source is client and self._fatal in data:
                        self.last = data
                        if self._then is not None:
                            self._then()
                        self.cut.set()
                    if not data or self.cut.is_set():
                        return
                    other[source].sendall(data)


@contextmanager
def engine_that_goes(
    folder: Path, address: str, fatal: bytes, then: Callable[[], object] | None = None
) -> Iterator[Proxy]:
    """Give a proxy of the engine at an address that dies of a request that holds given bytes.

    ``then`` is called first, while the client still waits for its answer.
    """
    proxy = Proxy(folder / "proxy.sock", address.removeprefix("unix://"), fatal, then)
    thread = threading.Thread(target=proxy.serve)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.cut.set()
        thread.join()

"""Calls without a public method in the docker SDK.

Private methods of the SDK are used here only, so that a new release of it breaks one file.
"""

from __future__ import annotations

import json
import select
import socket
import struct
import time
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_LONGEST_WAIT = 86400.0
"""Seconds of one poll."""
STDOUT = 1
STDERR = 2
_FRAME = struct.Struct(">BxxxL")


def build(
    api: Any, context: Iterable[bytes], params: Mapping[str, str], *, timeout: float
) -> Iterator[dict[str, Any]]:
    """Send a build context; yield the engine's messages as they arrive.

    ``version=2`` among the parameters selects BuildKit, without a session: the SDK supports the
    classic builder only. Only secrets, ssh agents and local caches need a session. ``timeout`` is
    the maximum time without data, in seconds.
    """
    response = api._post(  # noqa: SLF001
        api._url("/build"),  # noqa: SLF001
        data=context,
        params=dict(params),
        headers={"Content-Type": "application/x-tar"},
        stream=True,
        timeout=timeout,
    )
    yield from _messages(api, response)


def load(api: Any, archive: Iterable[bytes], *, timeout: float) -> Iterator[dict[str, Any]]:
    """Load an image archive; yield the engine's messages.

    The SDK's own ``load_image`` checks the status only after the body, and never for JSON, so a
    refusal would look like success.
    """
    response = api._post(  # noqa: SLF001
        api._url("/images/load"),  # noqa: SLF001
        data=archive,
        params={"quiet": "1"},
        headers={"Content-Type": "application/x-tar"},
        stream=True,
        timeout=timeout,
    )
    yield from _messages(api, response)


def _messages(api: Any, response: Any) -> Iterator[dict[str, Any]]:
    with closing(response):
        api._raise_for_status(response)  # noqa: SLF001
        yield from documents(response.iter_content(1 << 16))


def documents(chunks: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """Split a stream into JSON objects, one a line or simply concatenated.

    Raises ``ConnectionError`` when the stream ends or is malformed inside of one.
    """
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield from _objects(line)
    yield from _objects(rest)


def _objects(line: bytes) -> Iterator[dict[str, Any]]:
    decoder, text = json.JSONDecoder(), line.decode(errors="replace").strip()
    while text:
        try:
            document, end = decoder.raw_decode(text)
        except (ValueError, RecursionError) as error:
            msg = "the response is truncated"
            raise ConnectionError(msg) from error
        if not isinstance(document, dict):
            msg = f"the response has {str(document)[:60]!r} instead of an object"
            raise ConnectionError(msg)
        yield document
        text = text[end:].lstrip()


@contextmanager
def saved(api: Any, image: str, *, timeout: float) -> Iterator[Any]:
    """Open the archive of an image as a stream; the rest may stay unread."""
    url = api._url("/images/{0}/get", image)  # noqa: SLF001
    with closing(api._get(url, stream=True, timeout=timeout)) as response:  # noqa: SLF001
        api._raise_for_status(response)  # noqa: SLF001
        yield response.raw


@contextmanager
def fetched(api: Any, container: str, path: str) -> Iterator[Any]:
    """Open the tar of a path in a container as a stream."""
    url = api._url("/containers/{0}/archive", container)  # noqa: SLF001
    plain = {"Accept-Encoding": "identity"}  # otherwise engines compress it, which is not undone
    with closing(
        api._get(url, params={"path": path}, headers=plain, stream=True)  # noqa: SLF001
    ) as response:
        api._raise_for_status(response)  # noqa: SLF001
        yield response.raw


class Output:
    """A container's output, attached before its start so that nothing is lost."""

    def __init__(self, api: Any, container: str) -> None:
        self._response = api._post(  # noqa: SLF001
            api._url("/containers/{0}/attach", container),  # noqa: SLF001
            params={"stdout": 1, "stderr": 1, "stream": 1},
            headers={"Connection": "Upgrade", "Upgrade": "tcp"},
            stream=True,
        )
        self._socket = api._get_raw_response_socket(self._response)  # noqa: SLF001
        self._rest = b""

    def frames(self, deadline: float) -> Iterator[tuple[int, bytes]]:
        """Yield ``(STDOUT or STDERR, bytes)`` until the container ends.

        Raises ``TimeoutError`` at ``deadline`` (``time.monotonic()``); calling again resumes.
        """
        while (frame := self._frame(deadline)) is not None:
            yield frame

    def close(self) -> None:
        """Close the connection."""
        self._response.close()

    def _frame(self, deadline: float) -> tuple[int, bytes] | None:
        if not self._fill(_FRAME.size, deadline):
            return None
        stream, size = _FRAME.unpack(self._rest[: _FRAME.size])
        if not self._fill(_FRAME.size + size, deadline):
            return None
        data = self._rest[_FRAME.size : _FRAME.size + size]
        self._rest = self._rest[_FRAME.size + size :]
        return stream, data

    def _fill(self, size: int, deadline: float) -> bool:
        while len(self._rest) < size:
            self._wait(deadline)
            data = (
                self._socket.recv(1 << 16)
                if hasattr(self._socket, "recv")
                else (self._socket.read(1 << 16))
            )
            if not data:
                return False
            self._rest += data
        return True

    def _wait(self, deadline: float) -> None:
        if getattr(
            self._socket, "pending", int
        )():  # TLS: bytes already decrypted, invisible to poll
            return
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        while True:
            left = max(0.0, deadline - time.monotonic())
            # poll(2) has milliseconds in an int: very long waits are split.
            if poll.poll(min(left, _LONGEST_WAIT) * 1000):
                return
            if left <= _LONGEST_WAIT:
                raise TimeoutError


class Terminal:
    """A container's stdin, stdout and stderr, attached before its start."""

    def __init__(self, api: Any, container: str, *, tty: bool) -> None:
        self._response = api._post(  # noqa: SLF001
            api._url("/containers/{0}/attach", container),  # noqa: SLF001
            params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1},
            headers={"Connection": "Upgrade", "Upgrade": "tcp"},
            stream=True,
        )
        found = api._get_raw_response_socket(self._response)  # noqa: SLF001
        self._socket = getattr(found, "_sock", found)  # the SDK's is for reading only
        self._tty = tty
        self._rest = b""

    def fileno(self) -> int:
        """Return the descriptor to wait for."""
        return int(self._socket.fileno())

    def pending(self) -> bool:
        """Return whether there are received bytes that poll does not report (TLS)."""
        return bool(getattr(self._socket, "pending", int)())

    def receive(self) -> list[tuple[int, bytes]] | None:
        """Return what came, each part with its stream; None at the end."""
        data = self._socket.recv(1 << 16)
        if not data:
            return None
        if self._tty:
            return [(STDOUT, data)]
        self._rest += data
        parts = []
        while len(self._rest) >= _FRAME.size:
            stream, size = _FRAME.unpack(self._rest[: _FRAME.size])
            end = _FRAME.size + size
            if len(self._rest) < end:
                break
            parts.append((stream, self._rest[_FRAME.size : end]))
            self._rest = self._rest[end:]
        return parts

    def send(self, data: bytes) -> None:
        """Write to the command's stdin."""
        self._socket.sendall(data)

    def end_input(self) -> None:
        """Close the command's stdin."""
        with suppress(OSError):  # it has ended; TLS has no half-closed connections
            self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Let go of the connection."""
        self._response.close()

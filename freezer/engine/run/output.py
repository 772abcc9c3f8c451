"""Collects a container's output while it runs, and passes it on by line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.engine.wire import STDERR, STDOUT
from freezer.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT = 256 << 20
"""Maximum bytes of output; a container that writes more is stopped."""


TAIL = 64 << 10
"""Bytes kept of each stream that is passed on immediately."""


class Tail:
    """Both streams of a container, passed on immediately; only the end of each is kept."""

    def __init__(self, on_output: Callable[[int, bytes], None]) -> None:
        self._on_output = on_output
        self._kept: dict[int, bytes] = {}

    def add(self, stream: int, data: bytes) -> None:
        """Pass bytes on."""
        self._kept[stream] = (self._kept.get(stream, b"") + data)[-TAIL:]
        self._on_output(stream, data)

    def end(self) -> tuple[bytes, bytes]:
        """Return the end of stdout and stderr."""
        return self._kept.get(STDOUT, b""), self._kept.get(STDERR, b"")


class Collected:
    """Both streams of one container."""

    def __init__(
        self, on_stdout: Callable[[bytes], None] | None = None, *, limit: int = LIMIT
    ) -> None:
        self._stdout = bytearray()
        self._stderr = bytearray()
        self._passed = 0
        """Offset of the first byte that was not passed on."""
        self._searched = 0
        """Offset up to which there is no line end, so that a long line is scanned once."""
        self._on_stdout = on_stdout
        self._limit = limit

    def add(self, stream: int, data: bytes) -> None:
        """Add bytes. Raises ``EngineError`` when there are too many."""
        (self._stdout if stream == STDOUT else self._stderr).extend(data)
        if len(self._stdout) + len(self._stderr) > self._limit:
            raise EngineError(
                f"the container wrote more than {self._limit >> 20} MiB and was stopped",
                hint="reduce the command's output, or write it to a file",
            )
        self._pass_on()

    def end(self) -> tuple[bytes, bytes]:
        """Pass on an unterminated last line; return stdout and stderr."""
        if self._on_stdout and self._passed < len(self._stdout):
            self._on_stdout(bytes(self._stdout[self._passed :]))
        return bytes(self._stdout), bytes(self._stderr)

    def _pass_on(self) -> None:
        while self._on_stdout and (end := self._stdout.find(b"\n", self._searched)) >= 0:
            line = bytes(self._stdout[self._passed : end])
            self._passed = self._searched = end + 1
            self._on_stdout(line.removesuffix(b"\r"))
        self._searched = len(self._stdout)

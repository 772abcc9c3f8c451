"""Collect a container's output while it runs, and pass it on line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.engine.wire import STDERR, STDOUT
from freezer.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT = 256 << 20
"""Bytes of output that are kept; a container that writes more is stopped."""


TAIL = 64 << 10
"""Bytes that are kept of each stream that is handed on as it comes."""


class Tail:
    """Both streams of one container, handed on at once; only the last of each is kept."""

    def __init__(self, on_output: Callable[[int, bytes], None]) -> None:
        self._on_output = on_output
        self._kept: dict[int, bytes] = {}

    def add(self, stream: int, data: bytes) -> None:
        """Hand on what came."""
        self._kept[stream] = (self._kept.get(stream, b"") + data)[-TAIL:]
        self._on_output(stream, data)

    def end(self) -> tuple[bytes, bytes]:
        """Return the last of stdout and stderr."""
        return self._kept.get(STDOUT, b""), self._kept.get(STDERR, b"")


class Collected:
    """Both streams of one container."""

    def __init__(
        self, on_stdout: Callable[[bytes], None] | None = None, *, limit: int = LIMIT
    ) -> None:
        self._stdout = bytearray()
        self._stderr = bytearray()
        self._told = 0
        """Offset of the first byte that was not handed on."""
        self._searched = 0
        """Offset up to which no further line ends: a long line is not read again and again."""
        self._on_stdout = on_stdout
        self._limit = limit

    def add(self, stream: int, data: bytes) -> None:
        """Take what came. Raises ``EngineError`` when it is more than one can keep."""
        (self._stdout if stream == STDOUT else self._stderr).extend(data)
        if len(self._stdout) + len(self._stderr) > self._limit:
            raise EngineError(
                f"the container wrote more than {self._limit >> 20} MiB and was stopped",
                hint="let the command write less, or to a file",
            )
        self._tell()

    def end(self) -> tuple[bytes, bytes]:
        """Hand on a last line without an end; return stdout and stderr."""
        if self._on_stdout and self._told < len(self._stdout):
            self._on_stdout(bytes(self._stdout[self._told :]))
        return bytes(self._stdout), bytes(self._stderr)

    def _tell(self) -> None:
        while self._on_stdout and (end := self._stdout.find(b"\n", self._searched)) >= 0:
            line = bytes(self._stdout[self._told : end])
            self._told = self._searched = end + 1
            self._on_stdout(line.removesuffix(b"\r"))
        self._searched = len(self._stdout)

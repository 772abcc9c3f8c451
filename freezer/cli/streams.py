"""Standard output and error whose reader may go away: ``freeze log | head``, a closed terminal."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

if TYPE_CHECKING:
    from collections.abc import Iterable


class _Closable:
    """A text stream whose reader may go away: what is written then goes nowhere."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_terminal = stream.isatty()

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError as error:
            self._divert_after(error)
            return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            self._divert_after(error)

    def _divert_after(self, error: OSError) -> None:
        """Go on without a reader; raise what is no sign of one that went away."""
        closed = self._is_terminal and error.errno == errno.EIO  # such as by a lost connection
        if not closed and not isinstance(error, BrokenPipeError):
            raise error
        self._divert()

    def _divert(self) -> None:
        """Point the stream's file descriptor at nothing.

        The stream still holds what it could not write, and tries again when Python ends; that would
        fail with a message and exit status 120.
        """
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def survive_closed_streams() -> None:
    """Let the command go on, to its own exit status, when its output is no longer read."""
    sys.stdout = cast("TextIO", _Closable(_open(sys.stdout)))
    sys.stderr = cast("TextIO", _Closable(_open(sys.stderr)))


def _open(stream: TextIO | None) -> TextIO:
    """Return a stream; one to nowhere for a descriptor that was closed before the start."""
    return stream if stream is not None else Path(os.devnull).open("w")

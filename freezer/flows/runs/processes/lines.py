"""The output of several runs on one terminal: whole lines, each with the label of its run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST: Final = 64 << 10
"""Bytes of a line that are held back until it ends."""


class LabelledLines:
    r"""Passes on what one run prints, line by line, with its label in front.

    Of a progress bar, which overwrites its line (``\r``), only the last state is passed on.
    """

    def __init__(self, label: str, show: Callable[[int, bytes], None]) -> None:
        self._label = label.encode()
        self._show = show
        self._held: dict[int, bytes] = {}

    def take(self, stream: int, data: bytes) -> None:
        """Add output of a stream (1 or 2)."""
        *lines, rest = (self._held.get(stream, b"") + data).split(b"\n")
        for line in lines:
            self._pass(stream, line)
        if len(rest) > LONGEST:
            self._pass(stream, rest)
            rest = b""
        self._held[stream] = rest

    def end(self) -> None:
        """Pass on the unterminated last lines."""
        for stream, rest in sorted(self._held.items()):
            if rest:
                self._pass(stream, rest)
        self._held.clear()

    def _pass(self, stream: int, line: bytes) -> None:
        last = line.removesuffix(b"\r").rpartition(b"\r")[2]
        self._show(stream, self._label + last + b"\n")

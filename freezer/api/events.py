"""Events: how the Python API reports progress, notes and warnings."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from freezer.model.events import Task


@dataclass(frozen=True)
class Event:
    """Something that a function reports while it works."""

    kind: Literal["note", "warning", "detail", "start", "progress", "end"]
    """``note``, ``warning`` and ``detail`` (what ``freeze -v`` prints) carry a line of text. A task
    sends one ``start``, any number of ``progress`` and one ``end``."""
    text: str
    """The line; for a task its title, or what it is doing now."""
    task: int | None = None
    """The task's number within the project."""
    done: int = 0
    """Units done so far."""
    total: int | None = None
    """Units in all; None where that is not known in advance."""
    unit: str = ""
    """``bytes``, or a plural noun such as ``files``."""


class Listener:
    """A reporter that turns what flows report into events, one at a time, for a callable."""

    def __init__(self, report: Callable[[Event], object]) -> None:
        self._report = report
        self._guard = threading.RLock()
        self._numbers = count(1)

    def send(self, event: Event) -> None:
        """Call the callable; calls from several threads come one after the other."""
        with self._guard:
            self._report(event)

    @contextmanager
    def task(self, title: str, *, total: int | None = None, unit: str = "items") -> Iterator[Task]:
        """Report the start and the end of a task, the end also after an error."""
        with self._guard:
            running = _Running(self, next(self._numbers), title, total, unit)
        self.send(running.event("start"))
        try:
            yield running
        finally:
            self.send(running.event("end"))

    def note(self, text: str) -> None:
        """Report a line that the command prints."""
        self.send(Event("note", text))

    def warn(self, text: str) -> None:
        """Report a line that the user should act on."""
        self.send(Event("warning", text))

    def debug(self, text: str) -> None:
        """Report a line that the command prints with ``--verbose`` only."""
        self.send(Event("detail", text))


class _Running:
    """A task that reports each step."""

    def __init__(
        self, listener: Listener, number: int, title: str, total: int | None, unit: str
    ) -> None:
        self._listener = listener
        self._number, self._title, self._total, self._unit = number, title, total, unit
        self._guard = threading.Lock()
        self._done = 0

    def event(self, kind: Literal["start", "progress", "end"], text: str | None = None) -> Event:
        """Return an event about this task."""
        title = self._title if text is None else text
        return Event(kind, title, self._number, self._done, self._total, self._unit)

    def advance(self, amount: int = 1) -> None:
        """Count units and report how many are done."""
        with self._guard:
            self._done += amount
        self._listener.send(self.event("progress"))

    def describe(self, text: str) -> None:
        """Report what is being done."""
        self._listener.send(self.event("progress", text))

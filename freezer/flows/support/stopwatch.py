"""What takes how long: a listener that keeps the time of every task, and passes everything on."""

from __future__ import annotations

import re
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freezer.model.events import Reporter, Task

OTHER = "everything else"
_NUMBER = re.compile(r" \d+")


class Stopwatch:
    """Times the tasks of a flow. A task's time is its own: without that of tasks inside it."""

    def __init__(self, report: Reporter) -> None:
        self._report = report
        self._started = time.monotonic()
        self._shares: dict[str, float] = {}
        self._inside: list[float] = []
        self._guard = threading.RLock()

    @contextmanager
    def task(self, title: str, *, total: int | None = None, unit: str = "items") -> Iterator[Task]:
        """Open a task, and keep its time under its title without numbers."""
        begun = time.monotonic()
        main = threading.current_thread() is threading.main_thread()
        if main:
            self._inside.append(0.0)
        try:
            with self._report.task(title, total=total, unit=unit) as task:
                yield task
        finally:
            if main:
                self._close(title, time.monotonic() - begun)

    def _close(self, title: str, seconds: float) -> None:
        own = seconds - self._inside.pop()
        if self._inside:
            self._inside[-1] += seconds
        key = _NUMBER.sub("", title)
        with self._guard:
            self._shares[key] = self._shares.get(key, 0.0) + own

    def shares(self) -> dict[str, float]:
        """Return seconds by kind of work; they add up to the time since the start."""
        with self._guard:
            known = {title: round(seconds, 2) for title, seconds in self._shares.items()}
            rest = time.monotonic() - self._started - sum(self._shares.values())
        return {**known, OTHER: round(max(0.0, rest), 2)}

    def note(self, text: str) -> None:
        """Pass a note on."""
        self._report.note(text)

    def warn(self, text: str) -> None:
        """Pass a warning on."""
        self._report.warn(text)

    def debug(self, text: str) -> None:
        """Pass a detail on."""
        self._report.debug(text)

"""Progress events of the core. It reports; only ``freezer.output`` prints."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager


class Task(Protocol):
    """One running task, with its progress."""

    def advance(self, amount: int = 1) -> None:
        """Say that ``amount`` more units are done."""

    def describe(self, text: str) -> None:
        """Say what is being done right now."""


class Reporter(Protocol):
    """Receives what the core has to say while it works. All methods may come from any thread."""

    def task(
        self, title: str, *, total: int | None = None, unit: str = "items"
    ) -> AbstractContextManager[Task]:
        """Open a task that ends with the block; ``unit`` is ``bytes`` or a plural noun."""

    def note(self, text: str) -> None:
        """Report a message on its own line."""

    def warn(self, text: str) -> None:
        """Say something that the user should act on, though work goes on."""

    def debug(self, text: str) -> None:
        """Say something that only ``--verbose`` shows."""


class SilentTask:
    """A task without display."""

    def advance(self, amount: int = 1) -> None:
        """Ignore progress."""

    def describe(self, text: str) -> None:
        """Ignore the description."""


class SilentReporter:
    """Nobody listens: the default of the Python API, and of tests."""

    @contextmanager
    def task(self, title: str, *, total: int | None = None, unit: str = "items") -> Iterator[Task]:
        """Open a task without display."""
        del title, total, unit
        yield SilentTask()

    def note(self, text: str) -> None:
        """Ignore the note."""

    def warn(self, text: str) -> None:
        """Ignore the warning."""

    def debug(self, text: str) -> None:
        """Ignore the detail."""


class PartOf(SilentReporter):
    """For work within a displayed task: messages are passed on, its own tasks are not."""

    def __init__(self, report: Reporter) -> None:
        self._report = report

    def note(self, text: str) -> None:
        """Pass the note on."""
        self._report.note(text)

    def warn(self, text: str) -> None:
        """Pass the warning on."""
        self._report.warn(text)

    def debug(self, text: str) -> None:
        """Pass the detail on."""
        self._report.debug(text)

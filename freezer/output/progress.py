"""Progress of the core: bars on terminals, lines in logs."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.markup import escape

from freezer.output.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console
    from rich.progress import Progress, ProgressColumn, TaskID

    from freezer.model.events import Task

_WORTH_A_LINE = 2.0
"""Minimum seconds of a task that is logged with its duration."""


class _Bar:
    def __init__(self, progress: Progress, identifier: TaskID) -> None:
        self._progress = progress
        self._id = identifier

    def advance(self, amount: int = 1) -> None:
        self._progress.advance(self._id, amount)

    def describe(self, text: str) -> None:
        self._progress.update(self._id, detail=_safe(text))


class _Silent:
    def advance(self, amount: int = 1) -> None:
        pass

    def describe(self, text: str) -> None:
        pass


class ConsoleReporter:
    """Prints to a console; ``verbosity`` 0 is warnings only, 1 is normal, 2 is detailed."""

    def __init__(self, console: Console, verbosity: int = 1) -> None:
        self._console = console
        self._verbosity = verbosity
        self._guard = threading.RLock()
        self._warned: set[str] = set()

    @contextmanager
    def task(self, title: str, *, total: int | None = None, unit: str = "items") -> Iterator[Task]:
        """Open a task: a bar on a terminal, elsewhere a line when it is done."""
        if self._verbosity < 1:
            yield _Silent()
        elif self._console.is_terminal:
            with self._bar(title, total, unit) as bar:
                yield bar
        else:
            with self._line(title):
                yield _Silent()

    def note(self, text: str) -> None:
        """Print a line."""
        if self._verbosity >= 1:
            self._print(_safe(text))

    def warn(self, text: str) -> None:
        """Print a warning, once even if it is repeated."""
        with self._guard:
            if text in self._warned:
                return
            self._warned.add(text)
        self._print(f"[yellow]warning:[/yellow] {_safe(text)}")

    def debug(self, text: str) -> None:
        """Print a detail at verbosity 2."""
        if self._verbosity >= 2:
            self._print(f"[dim]{_safe(text)}[/dim]")

    def _print(self, text: str) -> None:
        with self._guard:
            self._console.print(text, soft_wrap=True, highlight=False)

    @contextmanager
    def _bar(self, title: str, total: int | None, unit: str) -> Iterator[Task]:
        from rich.progress import Progress  # only a terminal has bars

        with Progress(*_columns(total, unit), console=self._console, transient=True) as progress:
            yield _Bar(progress, progress.add_task(_safe(title), total=total, detail=""))

    @contextmanager
    def _line(self, title: str) -> Iterator[None]:
        started = time.monotonic()
        waker = threading.Timer(_WORTH_A_LINE, lambda: self._print(f"{_safe(title)} ..."))
        waker.daemon = True
        waker.start()
        try:
            yield
        finally:
            waker.cancel()
            seconds = time.monotonic() - started
            if seconds >= _WORTH_A_LINE:
                self._print(f"{_safe(title)}: {seconds:.0f} s")


def _safe(text: str) -> str:
    """Escape text of others as markup."""
    return escape(shown(text))


def _columns(total: int | None, unit: str) -> list[ProgressColumn]:
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns: list[ProgressColumn] = [SpinnerColumn(), TextColumn("{task.description}")]
    if total is None:
        return [*columns, TextColumn("[dim]{task.fields[detail]}"), TimeElapsedColumn()]
    columns.append(BarColumn(bar_width=14))
    if unit == "bytes":
        columns += [DownloadColumn(), TimeRemainingColumn()]
    else:
        columns += [MofNCompleteColumn(), TimeRemainingColumn()]
    return [*columns, TextColumn("[dim]{task.fields[detail]}")]

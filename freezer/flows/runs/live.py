"""Writes what a training reports to the run's journal, once a second."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING, Final

from freezer.flows.runs.facts import reported, without_secrets
from freezer.ledger.series import joined

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from freezer.flows.runs.protocol import Report
    from freezer.ledger.journal import Journal
    from freezer.ledger.series import Points
    from freezer.model.record.run import Run

PERIOD: Final = 1.0
"""Interval in seconds: at most this much of the metrics is lost when the process is killed."""


class Live:
    """Writes reported fields and metrics to the journal, and keeps the series packed in memory."""

    def __init__(self, journal: Journal, run: Run, report: Report, secrets: Sequence[str]) -> None:
        self._journal = journal
        self._run = run
        self._report = report
        self._secrets = secrets
        self._fields = -1
        self._pending: list[Mapping[str, Points]] = []
        self._parts: dict[str, list[Points]] = {}

    def flush(self) -> None:
        """Write what was reported since the last call; with a full disk it stays in memory."""
        taken = self._report.metrics()
        for name, points in taken.items():
            self._parts.setdefault(name, []).append(points)
        self._pending += [taken] if taken else []
        try:
            while self._pending:
                self._journal.metrics(self._pending[0])
                del self._pending[0]
            if len(self._report.fields) != self._fields:
                self._journal.run(without_secrets(reported(self._run, self._report), self._secrets))
                self._fields = len(self._report.fields)
        except OSError:
            return  # tried again next time; reported at the end, when the last state is written

    def metrics(self) -> Mapping[str, Points]:
        """Return the whole series of each metric."""
        return {name: joined(parts) for name, parts in self._parts.items()}


@contextmanager
def journaled(journal: Journal, run: Run, report: Report, secrets: Sequence[str]) -> Iterator[Live]:
    """Write what a training reports to the journal during a block, and the rest at its end."""
    live, over = Live(journal, run, report, secrets), Event()

    def work() -> None:
        while not over.wait(PERIOD):
            live.flush()

    thread = Thread(target=work, daemon=True)
    thread.start()
    try:
        yield live
    finally:
        over.set()
        thread.join()
        live.flush()

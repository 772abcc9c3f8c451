"""Several runs of a sweep at once, each in a process of its own with its own CPUs and GPUs."""

from __future__ import annotations

import os
import selectors
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from freezer.errors import EXIT_INTERRUPTED
from freezer.flows.runs.processes.child import LONGEST_REPORT, Child, read_start, start_child
from freezer.flows.runs.processes.lines import LabelledLines

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from freezer.model.events import Reporter

_STREAMS: Final = (1, 2)
_REPORT: Final = 3


@dataclass(frozen=True)
class Job:
    """One run of a sweep."""

    label: str
    """What its lines begin with."""
    command: tuple[str, ...]
    """The command line of its process, up to ``--``."""
    training: tuple[str, ...]
    """What follows after ``--``."""


@dataclass(frozen=True)
class JobEnd:
    """How one run of a sweep ended."""

    run: str | None
    """Its ID; None where it did not begin, such as for data that are missing."""
    exit_code: int


@dataclass
class _Running:
    number: int
    child: Child
    share: Sequence[str]
    lines: LabelledLines
    open: int
    """How many of its descriptors are still open."""
    report: bytearray = field(default_factory=bytearray)


class Watcher(Protocol):
    """Notified when runs begin and end, by their number in the sweep."""

    def began(self, number: int, run: str) -> None:
        """Handle the beginning of a run, with its ID."""

    def ended(self, number: int, exit_code: int) -> None:
        """Handle the end of a run."""


class Jobs:
    """Runs a sweep, in its order, as many runs at once as there are shares of the machine.

    A share is what a run's command line gets in addition: the options that name its CPUs and GPUs.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        shares: Sequence[Sequence[str]],
        show: Callable[[int, bytes], None],
        report: Reporter,
        *,
        report_option: str,
        watcher: Watcher | None = None,
    ) -> None:
        self._jobs = jobs
        self._waiting = deque(enumerate(jobs))
        self._free = deque(shares)
        self._show = show
        self._reporter = report
        self._watcher = watcher
        self._report_option = report_option
        self._selector = selectors.DefaultSelector()
        self._running: dict[int, _Running] = {}
        self._ended: dict[int, JobEnd] = {}
        self._stopping = False
        """No further run is started."""
        self._interrupted = False

    def run(self) -> list[JobEnd]:
        """Return how each run ended that was started, in the order of the sweep.

        Ctrl-C ends all of them, and so does a run that cannot begin: the next one could not
        either. Those that run already go on to their end then.
        """
        try:
            while self._go_on():
                self._wait()
        finally:
            self._kill()
            self._selector.close()
        return [self._ended[number] for number in sorted(self._ended)]

    def _go_on(self) -> bool:
        try:
            while self._waiting and self._free and not self._stopping:
                self._start(*self._waiting.popleft())
        except KeyboardInterrupt:
            self._interrupt()
        return bool(self._running)

    def _wait(self) -> None:
        try:
            for key, _ in self._selector.select():
                self._read(key.data[0], key.data[1], key.fd)
        except KeyboardInterrupt:
            if self._interrupted:  # for the second time: do not wait for them any longer
                raise
            self._interrupt()

    def _start(self, number: int, job: Job) -> None:
        share = self._free.popleft()
        child = start_child([*job.command, *share], self._report_option, job.training, piped=True)
        one = _Running(number, child, share, LabelledLines(f"{job.label} ", self._show), 3)
        self._running[number] = one
        stdout, stderr = child.process.stdout, child.process.stderr
        assert stdout is not None and stderr is not None  # noqa: PT018, S101 - piped
        for stream, descriptor in zip(
            (*_STREAMS, _REPORT), (stdout.fileno(), stderr.fileno(), child.report), strict=True
        ):
            os.set_blocking(descriptor, False)
            self._selector.register(descriptor, selectors.EVENT_READ, (number, stream))

    def _read(self, number: int, stream: int, descriptor: int) -> None:
        one = self._running[number]
        try:
            data = os.read(descriptor, 1 << 16)
        except BlockingIOError:
            return
        if data and stream == _REPORT:
            one.report += data[: LONGEST_REPORT - len(one.report)]
        elif data:
            one.lines.take(stream, data)
        else:
            self._selector.unregister(descriptor)
            run = read_start(bytes(one.report)) if stream == _REPORT else None
            if run is not None and self._watcher is not None:
                self._watcher.began(number, run)
            one.open -= 1
            if not one.open:
                self._end(one)

    def _end(self, one: _Running) -> None:
        one.lines.end()
        code = one.child.exit_code()
        self._close(one)
        end = JobEnd(read_start(bytes(one.report)), code)
        self._ended[one.number] = end
        if self._watcher is not None:
            self._watcher.ended(one.number, code)
        self._free.append(one.share)
        if end.run is None and not self._stopping:
            self._stopping = True
            if self._waiting:
                self._reporter.warn(
                    f"{self._jobs[one.number].label} could not start: no further runs are started"
                )
        elif code == EXIT_INTERRUPTED:  # from outside, as by `kill`: the sweep ends as well
            self._stopping = True

    def _interrupt(self) -> None:
        self._stopping = self._interrupted = True
        self._reporter.note("Interrupted: all runs are ended and recorded")
        for one in self._running.values():
            one.child.interrupt()

    def _kill(self) -> None:
        """Leave no process behind; what it had recorded is kept by its journal."""
        for one in self._running.values():
            with suppress(ProcessLookupError):
                one.child.process.kill()
            one.child.exit_code()
            self._close(one)

    def _close(self, one: _Running) -> None:
        self._running = {key: kept for key, kept in self._running.items() if kept is not one}
        for stream in (one.child.process.stdout, one.child.process.stderr):
            if stream is not None:
                stream.close()
        os.close(one.child.report)

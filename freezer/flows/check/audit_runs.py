"""The runs of an audit: in the time that there is, and side by side where there are CPUs for it.

Runs at once never share a CPU: each is pinned to as many as the lock's trainings have. So a run has
the same threads, on as many CPUs, as it has alone.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from threading import Lock as Guard
from time import monotonic
from typing import TYPE_CHECKING, Final

from freezer.check.audit.effects import Effect, effects
from freezer.check.smoke import Varied
from freezer.inside.freezer_inside.trainer import PROCESSOR
from freezer.model.events import SilentReporter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from freezer.check.audit.factors import Factor
    from freezer.check.smoke import SmokeRunner
    from freezer.engine.interface import EngineInfo
    from freezer.model.lock import Lock
    from freezer.model.record.record import Record

_HANGS: Final = 4.0
"""Times of what is expected of a run; with one thread instead of many it may well take twice."""
_LEAST_PATIENCE: Final = 15.0
"""Seconds that any run may take."""
_MOST: Final = 4
"""Maximum runs at once: they share the memory's bandwidth, and the CPU time is compared."""
_UNITS: Final = {"b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def lanes(lock: Lock, info: EngineInfo) -> int:
    """Return how many of a lock's trainings an engine can run at once, each on CPUs of its own."""
    if lock.accelerator is not None:
        return 1  # they would share the GPUs
    memory = int(lock.smoke.memory[:-1]) * _UNITS[lock.smoke.memory[-1].lower()]
    return max(1, min(info.cpus // lock.smoke.cpus, info.memory // memory, _MOST))


@dataclass
class AuditRuns:
    """Runs under one factor after another, or several at once."""

    runner: SmokeRunner
    first: Record
    """The unchanged run."""
    started: float
    """When the audit began, by ``time.monotonic()``."""
    budget: float
    """Seconds from then."""
    lanes: int = 1
    """Runs at once."""
    _records: dict[str | None, Record] = field(default_factory=dict)
    _left_out: dict[str, str] = field(default_factory=dict)
    """Titles of factors that were not reached or did not end, by name."""
    _guard: Guard = field(default_factory=Guard)

    def __post_init__(self) -> None:
        self._records[None] = self.first
        # Of the first run, which also reads an image from the disk.
        self._usual = monotonic() - self.started

    def run(self, factors: Sequence[Factor]) -> None:
        """Run the trainings under each factor for which there is time, in order."""
        together = [factor for factor in factors if self.lanes > 1 and not factor.alone]
        if together:
            self._run_together(together)
        for factor in factors:
            if factor not in together:
                self._run(factor, self.runner, ())

    def effects(self, factors: Sequence[Factor]) -> Iterator[Effect]:
        """Yield the effects of the factors that were reached."""
        for factor in factors:
            if self._is_reached(factor):
                yield from effects(
                    factor, self._records[factor.against], self._records[factor.name]
                )

    def skipped(self, factors: Sequence[Factor]) -> Iterator[str]:
        """Yield the titles of the others."""
        for factor in factors:
            if not self._is_reached(factor):
                yield self._left_out.get(factor.name, factor.title)

    def _is_reached(self, factor: Factor) -> bool:
        return factor.name in self._records and factor.against in self._records

    def _run_together(self, factors: Sequence[Factor]) -> None:
        waiting = deque(factors)
        cpus = self.runner.lock.smoke.cpus
        title = f"Training with {len(factors)} changes, {self.lanes} at once"
        with self.runner.report.task(title, total=len(factors), unit="trainings") as task:
            silent = replace(self.runner, report=SilentReporter())

            def lane(number: int) -> None:
                own = tuple(range(number * cpus, (number + 1) * cpus))
                try:
                    while waiting:
                        factor = waiting.popleft()
                        task.describe(factor.title)
                        self._run(factor, silent, own)
                        task.advance()
                except IndexError:  # another lane took the last one
                    return
                except BaseException:
                    waiting.clear()
                    raise

            with ThreadPoolExecutor(self.lanes) as pool:
                try:
                    list(pool.map(lane, range(self.lanes)))
                finally:
                    waiting.clear()  # an interrupted audit begins nothing more

    def _run(self, factor: Factor, runner: SmokeRunner, positions: tuple[int, ...]) -> None:
        share, begun = _share(self.first, factor), monotonic()
        expected = self._usual * share
        if begun - self.started + expected > self.budget or factor.against in self._left_out:
            self._left_out[factor.name] = factor.title
            return
        limit = _patience(expected, self.budget - (begun - self.started))
        changes = Varied(factor.environment, factor.only, limit, positions)
        varied = runner.run(f"Training with {factor.title}", changes)
        if _cut_off(varied, limit):
            self._left_out[factor.name] = f"{factor.title}, which did not end in {limit:.0f} s"
            return
        with self._guard:
            self._records[factor.name] = varied
            pace = (monotonic() - begun) / share if share else self._usual
            # The latest runs say most of what the next one takes.
            self._usual = (self._usual + pace) / 2


def _patience(expected: float, left: float) -> float:
    """Return how many seconds a run may take: one that hangs is not to take those of the others."""
    return max(1.0, min(left, max(_HANGS * expected, _LEAST_PATIENCE)))


def _share(first: Record, factor: Factor) -> float:
    """Return which part of the unchanged run's time a run of some of the trainings takes."""
    seconds = {
        one.name: sum(part.seconds for part in one.timings if part.name != PROCESSOR)
        for one in first.trainings
    }
    chosen = sum(took for name, took in seconds.items() if not factor.only or name in factor.only)
    return chosen / sum(seconds.values()) if any(seconds.values()) else 1.0


def _cut_off(record: Record, limit: float) -> bool:
    """Say whether a training was ended by the audit's limit, and not by the spec's own."""
    reason = f"it did not end within {limit:.0f} seconds"
    return any((one.failure or "").startswith(reason) for one in record.trainings)

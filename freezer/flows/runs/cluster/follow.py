"""Follows submitted runs until the ledger has them: what they print, and how each ended."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from freezer.errors import EXIT_INTERRUPTED, EXIT_NEGATIVE, FreezerError, LedgerError
from freezer.fleet.trainings.frames import FrameReader
from freezer.fleet.trainings.submission import Submission, Submissions
from freezer.flows.runs.folders import submissions_in
from freezer.flows.runs.ledger import project_ledger
from freezer.flows.runs.processes.lines import LabelledLines
from freezer.flows.runs.protocol import Filter
from freezer.flows.runs.run import RunDone
from freezer.flows.runs.spool.collect import collect
from freezer.flows.runs.spool.compose import Collected, captured
from freezer.inside.freezer_host.job import RESULT
from freezer.ledger import query

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from freezer.flows.project.project import Project
    from freezer.flows.runs.run import Show
    from freezer.model.record.run import Run

_LOOK: Final = 0.5
"""Seconds between two looks at the captured output."""
_ASK: Final = (2.0, 4.0, 8.0, 15.0)
"""Seconds between two questions to the scheduler: soon at first, then seldom."""


class Follower:
    """What one run printed since the last look; without the lines of the record protocol.

    Of several ranks each line begins with its rank.
    """

    def __init__(self, folder: Path, ranks: int, show: Show) -> None:
        self._folder = folder
        self._ranks = [_Rank(folder, rank, *_labelled(show, rank, ranks)) for rank in range(ranks)]

    def look(self) -> None:
        """Pass on what was added; from the beginning where the job was started again."""
        for one in self._ranks:
            one.look()

    def end(self) -> None:
        """Pass on unterminated last lines."""
        for one in self._ranks:
            one.end()


class _Rank:
    """What one rank printed since the last look."""

    def __init__(self, folder: Path, rank: int, show: Show, end: Callable[[], None]) -> None:
        self._folder = folder
        self._rank = rank
        self._show = show
        self._end = end
        self._open(captured(folder, rank))

    def look(self) -> None:
        path = captured(self._folder, self._rank)
        # One that is not there is no other start: the shared folder is gone for a while.
        if path != self._path and os.path.isdir(path.parent):  # noqa: PTH112 - raises nothing
            self.end()
            self._open(path)
        for frame in self._reader.frames():
            self._filter.take(frame.stream, frame.data)

    def end(self) -> None:
        self._filter.end()
        self._end()

    def _open(self, path: Path) -> None:
        self._path = path
        self._reader = FrameReader(path)
        self._filter = Filter(self._show)


def _labelled(show: Show, rank: int, ranks: int) -> tuple[Show, Callable[[], None]]:
    if ranks == 1:
        return show, lambda: None
    lines = LabelledLines(f"[rank {rank:>{len(str(ranks - 1))}}] ", show)
    return lines.take, lines.end


def wait(project: Project, some: Sequence[Submission], shows: Sequence[Show]) -> Iterator[RunDone]:
    """Pass on what runs print until they have ended; yield each, in their order.

    A run that another command records meanwhile is read from the ledger. Raises ``LedgerError``.
    """
    followers = {
        one.run: Follower(Path(one.folder), one.ranks, show)
        for one, show in zip(some, shows, strict=True)
    }
    found: dict[str, Collected] = {}
    submissions = Submissions(submissions_in(project.root))
    looks, due, yielded = 0, time.monotonic() + _ASK[0], 0
    seen: set[str] = set()
    with project.report.task("Runs on the cluster", total=len(some), unit="runs") as task:
        task.describe(_states(submissions, some))
        while yielded < len(some):
            waiting = set(submissions.runs())
            for one in some:
                if one.run in followers:
                    followers[one.run].look()
                    if one.run not in waiting:
                        followers.pop(one.run).end()
                        task.advance()
            while yielded < len(some) and some[yielded].run not in followers:
                yield _done(project, some[yielded], found.get(some[yielded].run))
                yielded += 1
            if yielded == len(some):
                return
            written = _written(some, waiting - seen)
            seen |= written  # once: a result that does not count is no reason to ask all the time
            if written or time.monotonic() >= due:
                found.update(_collect(project))
                looks += 1
                due = time.monotonic() + _ASK[min(looks, len(_ASK) - 1)]
                task.describe(_states(submissions, some))
            if not written:
                time.sleep(_LOOK)


def _written(some: Sequence[Submission], waiting: Collection[str]) -> set[str]:
    """Return the runs among the waiting ones that have a result file."""
    return {
        one.run
        for one in some
        # `Path.exists` raises for a shared folder that fails.
        if one.run in waiting and os.path.exists(Path(one.folder) / RESULT)  # noqa: PTH110
    }


def wait_quietly(project: Project, runs: Sequence[str]) -> None:
    """Wait until the ledger has the ends of some runs; of none that was not submitted."""
    submissions = Submissions(submissions_in(project.root))
    looks, some = 0, set(runs)
    with project.report.task("Runs on the cluster", total=len(some), unit="runs") as task:
        ended = 0
        while True:
            _collect(project)
            left = some.intersection(submissions.runs())
            task.advance(len(some) - len(left) - ended)
            ended = len(some) - len(left)
            if not left:
                return
            time.sleep(_ASK[min(looks, len(_ASK) - 1)])
            looks += 1


def _collect(project: Project) -> Mapping[str, Collected]:
    """Record what ended; a ledger out of reach is asked again."""
    try:
        with project_ledger(project, collecting=False) as ledger:
            return collect(project, ledger, announce=False)
    except LedgerError as error:
        project.report.warn(f"{error.what}; trying again")
        time.sleep(_ASK[-1])
        return {}


def _states(submissions: Submissions, some: Sequence[Submission]) -> str:
    """Return the states of jobs, such as ``2 PENDING (Resources), 1 RUNNING``."""
    counts: dict[str, int] = {}
    for one in some:
        try:
            found = submissions.get(one.run)
        except FreezerError:
            continue
        if found is not None:
            reason = found.note if found.state == "PENDING" and found.note != "None" else ""
            title = f"{found.state or 'submitted'}{f' ({reason})' if reason else ''}"
            counts[title] = counts.get(title, 0) + 1
    return ", ".join(f"{count} {title}" for title, count in counts.items())


def _done(project: Project, one: Submission, known: Collected | None) -> RunDone:
    place = Path(one.output)
    with project_ledger(project, collecting=False) as ledger:
        address = ledger.shown
        if known is None:
            run = query.get(ledger, one.run)
            metrics = query.all_points(ledger, run.id)
            return RunDone(run, metrics, place, exit_code(run), True, (), address)
    return RunDone(known.run, known.metrics, place, known.exit_code, True, known.outcomes, address)


def exit_code(run: Run) -> int:
    """Return the exit code that stands for a run that ended on a cluster."""
    if run.exit_code:
        return run.exit_code
    return {"finished": 0, "interrupted": EXIT_INTERRUPTED}.get(run.state, EXIT_NEGATIVE)

"""`freeze runs verify`: repeats a sample of recorded runs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from freezer.errors import FreezerError
from freezer.flows.compare.check_all import parse_since
from freezer.flows.runs.queries import find
from freezer.flows.runs.repeat.reproduce import Verdict, reproduce
from freezer.model.record.run import Time

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from freezer.flows.project.project import Project
    from freezer.flows.runs.run import Show
    from freezer.model.record.run import Run


@dataclass(frozen=True)
class Verified:
    """A sampled run, and the result of repeating it."""

    run: Run
    verdict: Verdict | Literal["not made"]
    reason: str
    again: str | None
    """The ID of the repetition."""


@dataclass(frozen=True)
class Verification:
    """The result for a sample of runs."""

    seed: int
    candidates: int
    """Number of runs the sample was drawn from."""
    runs: tuple[Verified, ...]

    @property
    def good(self) -> bool:
        """Whether all are identical, and there are any."""
        return bool(self.runs) and all(one.verdict == "identical" for one in self.runs)


def verify(
    project: Project,
    *,
    sample: int,
    seed: int,
    since: Time | None,
    query: str | None,
    show: Show,
    picked: Callable[[int, int, Run], None],
) -> Verification:
    """Sample finished runs and repeat each. Raises ``QueryError`` and ``LedgerError``.

    ``picked`` is called with the number, the count and the run, before each. A run that cannot be
    made again stops no other.
    """
    found = candidates(find(project, query).runs, since)
    runs = pick(found, sample, seed)
    verified = []
    for number, run in enumerate(runs, 1):
        picked(number, len(runs), run)
        verified.append(_verified(project, run, show))
    return Verification(seed, len(found), tuple(verified))


def since_time(text: str) -> Time:
    """Return a date, or a date and a time. Raises ``SpecError``."""
    moment = datetime.fromisoformat(parse_since(text))
    return Time(int(moment.timestamp()) * 1_000_000)


def candidates(runs: Sequence[Run], since: Time | None) -> list[Run]:
    """Return the runs that finished, from a time on, and that made no other one again."""
    return [
        run
        for run in runs
        if run.state == "finished"
        and "reproduces" not in run.links
        and (since is None or run.started >= since)
    ]


def pick(runs: Sequence[Run], count: int, seed: int) -> list[Run]:
    """Return some of the runs, the same ones for the same seed, in the order of their start.

    Which one comes before another depends on the two and the seed alone: a run that is added takes
    the place of one at most.
    """

    def rank(run: Run) -> str:
        return hashlib.sha256(f"{seed} {run.id}".encode()).hexdigest()

    return sorted(sorted(runs, key=rank)[:count], key=lambda run: (run.started, run.id))


def _verified(project: Project, run: Run, show: Show) -> Verified:
    try:
        found = reproduce(project, run.id, show)
    except FreezerError as error:
        return Verified(run, "not made", error.what, None)
    return Verified(run, found.verdict, found.reason, found.again.run.id)

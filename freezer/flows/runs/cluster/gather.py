"""`freeze runs collect`: records the results of jobs, and waits for them where that is wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.errors import RunError
from freezer.fleet.trainings.submission import Submissions
from freezer.flows.runs.cluster.follow import exit_code, wait_quietly
from freezer.flows.runs.folders import has_ledger, submissions_in, submitted
from freezer.flows.runs.ledger import project_ledger
from freezer.flows.runs.processes.sweeps import get_sweep, is_sweep
from freezer.flows.runs.queries import get
from freezer.flows.runs.spool.collect import collect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.flows.project.project import Project
    from freezer.model.record.run import Run


@dataclass(frozen=True)
class Gathered:
    """What was recorded, and what goes on."""

    runs: tuple[Run, ...]
    waiting: tuple[str, ...]
    """IDs of the runs without a result."""

    @property
    def status(self) -> int:
        """The first exit code that is not 0."""
        return next((code for run in self.runs if (code := exit_code(run))), 0)


def gather(project: Project, name: str | None, *, wait: bool) -> Gathered:
    """Record the runs that ended; with ``wait`` those of a run, a sweep, or all, when they end.

    Raises ``RunError`` for a run that is not there, or a name without ``wait``.
    """
    submissions = Submissions(submissions_in(project.root))
    if not wait:
        if name is not None:
            raise RunError("a single run can only be waited for", expected="--wait as well")
        if not submitted(project.root):
            return Gathered((), ())
        with project_ledger(project, collecting=False) as ledger:
            found = collect(project, ledger, wait=True)
        return Gathered(tuple(one.run for one in found.values()), tuple(submissions.runs()))
    wanted = _wanted(project, submissions, name)
    wait_quietly(project, wanted)
    return Gathered(tuple(get(project, one)[0] for one in wanted), ())


def _wanted(project: Project, submissions: Submissions, name: str | None) -> Sequence[str]:
    if name is None:
        return submissions.runs()
    if is_sweep(name):
        return get_sweep(project, name).begun
    if not has_ledger(project):
        raise RunError(f"no run is called {name!r} here")
    return [get(project, name)[0].id]

"""The state of every host of a fleet, from its jobs and its result files."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from freezer.errors import FleetError, HostError
from freezer.fleet.decide import decide
from freezer.fleet.folder import KnownJob
from freezer.fleet.jobs import Job, unlisted
from freezer.fleet.matrix import Group, Row, counts, groups
from freezer.fleet.result import HostResult, read_result
from freezer.fleet.slurm import Slurm
from freezer.fleet.state import Cause, State, not_checked
from freezer.flows.fleet.judge import Judge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freezer.fleet.folder import FleetFolder
    from freezer.fleet.request import Attempt, FleetEnvironment, Request
    from freezer.flows.project.project import Project


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """A fleet and what is known of each of its hosts."""

    request: Request
    attempts: int
    rows: tuple[Row, ...]
    """By environment, in the order of the hosts."""

    @property
    def id(self) -> str:
        """The fleet's ID."""
        return self.request.id

    @property
    def good(self) -> bool:
        """Whether every host that was asked for gives the expected results."""
        return bool(self.rows) and all(row.state.good for row in self.rows)

    @property
    def waiting(self) -> int:
        """How many verdicts may still come by themselves."""
        return sum(row.state.waiting for row in self.rows)

    @property
    def counts(self) -> dict[str, int]:
        """The number of hosts in each state."""
        return counts(self.rows)

    @property
    def groups(self) -> list[Group]:
        """The matrix: rows by environment and numerics class."""
        return groups(self.rows)


class Gatherer:
    """Reads the state of one fleet, any number of times; a verdict is made once."""

    def __init__(self, project: Project, folder: FleetFolder) -> None:
        """Read the request and the references. Raises ``FleetError`` and ``CheckError``."""
        self.folder = folder
        self.request = folder.request()
        self._report = project.report
        self._judges = {one.name: Judge(project, one) for one in self.request.environments}
        self._final: dict[tuple[str, str, int], Row] = {}
        self._warned = ""
        self.ended: frozenset[str] = frozenset()
        """The numbers of the jobs that had ended at the last look."""

    def judge(self, environment: str) -> Judge:
        """Return who judges an environment's results."""
        return self._judges[environment]

    def read(self) -> Fleet:
        """Return what is known now. Raises ``FleetError``."""
        attempts = self.folder.attempts()
        jobs, ended = self._jobs(attempts)
        self.ended = frozenset(jobs[name].number for name in ended)
        rows = tuple(
            self._row(host, one, attempts, jobs, ended)
            for one in self.request.environments
            for host in self.request.hosts
        )
        return Fleet(request=self.request, attempts=len(attempts), rows=rows)

    def results(self) -> Iterator[tuple[Row, HostResult]]:
        """Yield each row that has a result that counts, with the result."""
        attempts = {one.number: one for one in self.folder.attempts()}
        for row in self.read().rows:
            if row.fingerprint:
                one = self._environment(row.environment)
                attempt = attempts[row.attempt]
                path = self.folder.result(row.attempt, row.host, row.environment)
                found = read_result(path, self.request.id, attempt, row.host, one)
                if isinstance(found, HostResult):
                    yield row, found

    def _environment(self, name: str) -> FleetEnvironment:
        return next(one for one in self.request.environments if one.name == name)

    def _jobs(self, attempts: list[Attempt]) -> tuple[dict[str, Job], dict[str, float]]:
        """Return the jobs by name, and when each was first seen to have ended."""
        stored = self.folder.known_jobs()
        known = {name: Job(one.number, name, *one[1:4]) for name, one in stored.items()}
        names = {
            attempt.job_name(self.request.id, host)
            for attempt in attempts
            for host, entry in attempt.hosts.items()
            if entry.cause is None
        }
        try:
            jobs = self._listed(names, known)
        except FleetError as error:
            said = f"{error.what}: {error.found}" if error.found else error.what
            self._warn(f"{said}; last known states are used")
            jobs = {**unlisted(names, f"the scheduler does not answer: {said}"), **known}
        now = time.time()
        same = {
            name for name, job in jobs.items() if name in known and known[name].state == job.state
        }
        ended = {
            name: stored[name].ended if name in same else now
            for name, job in jobs.items()
            if not job.active
        }
        self._keep(
            {
                name: KnownJob(job.number, job.state, job.node, job.note, ended[name])
                for name, job in jobs.items()
                if name in ended and name not in same
            }
        )
        return jobs, ended

    def _keep(self, fresh: dict[str, KnownJob]) -> None:
        """Store how jobs ended, which schedulers forget; a full disk costs no verdict."""
        if fresh:
            try:
                self.folder.keep_jobs(fresh)
            except HostError as error:
                self._warn(f"the states of jobs are not stored: {error.what}")

    def _with_log(self, reason: str, attempt: int, host: str) -> str:
        words = self.folder.last_words(attempt, host)
        return f"{reason}; its output ends with: {words}" if words else reason

    def _warn(self, text: str) -> None:
        """Report a warning once, and not at every look."""
        if text != self._warned:
            self._report.warn(text)
            self._warned = text

    def _listed(self, names: set[str], known: dict[str, Job]) -> dict[str, Job]:
        """Return the jobs as their scheduler lists them; engines have none but this process."""
        if not names or self.request.addresses:
            return known
        return Slurm().jobs(names, self.request.created, known)

    def _row(
        self,
        host: str,
        one: FleetEnvironment,
        attempts: list[Attempt],
        jobs: dict[str, Job],
        ended: dict[str, float],
    ) -> Row:
        """Return the row of a host: of the latest attempt in which it was asked."""
        asked = [
            attempt
            for attempt in attempts
            if host in attempt.hosts and one.name in attempt.hosts[host].environments
        ]
        if not asked:  # the command that started the fleet was killed
            never = not_checked(Cause.LOST, "no job was submitted")
            return Row(host=host, environment=one.name, state=never)
        attempt = asked[-1]
        key = (host, one.name, attempt.number)
        if key in self._final:
            return self._final[key]
        name, entry = attempt.job_name(self.request.id, host), attempt.hosts[host]
        job = jobs.get(name)
        if job is not None and entry.job and job.number not in ("", entry.job):
            job = None  # of the same name, but not the one that was submitted
        path = self.folder.result(attempt.number, host, one.name)
        result = None
        if job is not None and job.completed:
            result = read_result(path, self.request.id, attempt, host, one)
            if result is None:
                self.folder.require_results(attempt.number)
        since = attempt.created if job is None else ended.get(name, attempt.created)
        age = time.time() - since
        found = decide(entry, job, result, age)
        number = (job.number if job else "") or entry.job or ""
        if isinstance(found, State) and found.cause is Cause.LOST and job and job.state == "FAILED":
            found = replace(found, reason=self._with_log(found.reason, attempt.number, host))
        if not isinstance(found, HostResult):
            facts = result.facts if isinstance(result, HostResult) else {}
            return Row(
                host=host, environment=one.name, state=found, job=number, facts=facts,
                attempt=attempt.number,
            )  # fmt: skip
        row = self._judges[one.name].row(found, number)
        self._final[key] = row
        return row

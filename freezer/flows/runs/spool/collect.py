"""Records the results that jobs left in the spool folder, and the ends of jobs that left none."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from freezer.errors import FleetError, FreezerError, LedgerError
from freezer.fleet.jobs import UNLISTED, Job
from freezer.fleet.sealed import Problem
from freezer.fleet.slurm import Slurm
from freezer.fleet.trainings.jobs import training_jobs
from freezer.fleet.trainings.outcome import decide
from freezer.fleet.trainings.result import OutOfReach, TrainingResult, read_result
from freezer.fleet.trainings.submission import Submission, Submissions
from freezer.flows.runs.folders import submissions_in
from freezer.flows.runs.spool.compose import Collected, compose
from freezer.inside.freezer_host.job import RESULT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freezer.flows.project.project import Project
    from freezer.ledger.connect import Ledger

_OF_BATCH = ("code", "runner", "views", "host.pyz")
"""What all jobs of a submission share, besides their own folders."""


def collect(
    project: Project, ledger: Ledger, *, wait: bool = False, announce: bool = True
) -> Mapping[str, Collected]:
    """Record each submitted run that ended; return those that this command recorded.

    Where another command is collecting, nothing is done; with ``wait`` it is waited for, and so is
    a controller that does not answer. Unless ``announce``, the caller reports each end. A run whose
    folder is out of reach goes on, whatever its job's state is.

    A run is recorded before its submission is removed, and never replaces an end that the ledger
    has already: a kill in between records the same once more.
    """
    submissions = Submissions(submissions_in(project.root))
    found: dict[str, Collected] = {}
    with submissions.locked(wait=wait) as held:
        if not held:
            return found
        opened = _opened(project, submissions)
        results = _results(project, ledger, submissions, opened)
        opened = [one for one in opened if one.run in results]
        unknown = [one for one in opened if not isinstance(results[one.run], TrainingResult)]
        jobs = _jobs(project, unknown, patient=wait)
        for one in opened:
            result = results[one.run]
            if not isinstance(result, TrainingResult) and jobs is None:
                if isinstance(result, Problem):
                    project.report.warn(f"run {one.run} is not recorded: {result.reason}")
                continue
            try:
                done = _collected(project, ledger, submissions, one, result, jobs or {})
            except (FreezerError, OSError, ValueError) as error:  # it must not keep others waiting
                project.report.warn(f"run {one.run} is not recorded: {error}")
                continue
            if done is not None:
                found[one.run] = done
                if announce:
                    why = f", {done.why}" if done.why else ""
                    project.report.note(f"run {one.run}: {done.run.state}{why}")
    return found


def _opened(project: Project, submissions: Submissions) -> list[Submission]:
    opened = []
    for run in submissions.runs():
        try:
            one = submissions.get(run)
        except FleetError as error:
            project.report.warn(str(error))
            continue
        if one is not None:
            opened.append(one)
    return opened


def _results(
    project: Project, ledger: Ledger, submissions: Submissions, opened: Sequence[Submission]
) -> Mapping[str, TrainingResult | Problem | None]:
    """Return what the jobs left, by run; without the runs whose folder is out of reach."""
    found: dict[str, TrainingResult | Problem | None] = {}
    gone: dict[str, list[str]] = {}
    for one in opened:
        result = read_result(Path(one.folder) / RESULT, one)
        if not isinstance(result, OutOfReach):
            found[one.run] = result
        elif _has_end(ledger, one.run):
            submissions.remove(one.run)  # the user gave it up
        else:
            where = f"{Path(one.folder).parent}: {result.reason}"
            gone.setdefault(where, []).append(one.run)
    for where, runs in gone.items():
        project.report.warn(
            f"results of submitted runs are out of reach ({len(runs)}), which stay `running`: "
            f"{where}; where they are lost for good, `freeze runs stop --lost {runs[0]}` ends a run"
        )
    return found


def _jobs(
    project: Project, some: Sequence[Submission], *, patient: bool
) -> Mapping[str, Job] | None:
    """Return the jobs of some submissions by key; None where nothing can be said of them."""
    if not some:
        return {}
    if shutil.which("squeue") is None:
        return None
    keys = {one.key for one in some}
    known = {
        one.key: Job(one.number, one.name, one.state, "", one.note) for one in some if one.state
    }
    since = min(one.created for one in some)
    slurm = Slurm(patient=patient)
    try:
        found = training_jobs(slurm, keys, since, known)
        here = "" if keys <= found.keys() else slurm.cluster()
    except FleetError as error:
        project.report.warn(
            f"Slurm does not answer, so the state of {len(some)} submitted runs is not known: "
            f"{error.found or error.what}"
        )
        return None
    return {**found, **_elsewhere(some, here)}


def _elsewhere(some: Sequence[Submission], here: str) -> dict[str, Job]:
    """Return the jobs of other clusters, by key: the lists of this one say nothing of them.

    A home folder may be shared by the login nodes of several clusters.
    """
    return {
        one.key: Job(one.number, one.name, UNLISTED, "", f"of cluster {one.cluster}")
        for one in some
        if here and one.cluster not in {"", here}
    }


def _collected(
    project: Project,
    ledger: Ledger,
    submissions: Submissions,
    one: Submission,
    result: TrainingResult | Problem | None,
    jobs: Mapping[str, Job],
) -> Collected | None:
    """Record one run if it ended; else keep what is known of its job."""
    job, now = jobs.get(one.key), time.time()
    over = job is None or not job.active
    ended = (one.ended or now) if over else None
    end = decide(one, result, job, now - (ended or now))
    if end is None:
        state, note = (job.state, job.note) if job is not None else (one.state, one.note)
        number = job.number.partition("_")[0] if job is not None else one.job
        fresh = {"state": state, "note": note, "ended": ended, "job": one.job or number}
        if any(getattr(one, name) != value for name, value in fresh.items()):
            submissions.put(one.model_copy(update=fresh))
        return None
    if isinstance(result, Problem):
        project.report.warn(f"run {one.run}: {result.reason}; {Path(one.folder) / RESULT}")
    done = compose(project, one, end)
    if not _record(project, ledger, one, done):
        return None
    submissions.remove(one.run)
    _tidy(submissions, one)
    return done


def _has_end(ledger: Ledger, run: str) -> bool:
    """Return whether the ledger has the end of a run."""
    from freezer.ledger import query

    with suppress(FreezerError):
        return query.get(ledger, run).state != "running"
    return False


def _record(project: Project, ledger: Ledger, one: Submission, done: Collected) -> bool:
    from freezer.ledger.record import record

    try:
        if not _has_end(ledger, one.run):
            record(ledger, done.run, done.metrics, _contents(project, one), whole=True)
    except LedgerError as error:
        project.report.warn(f"run {one.run} stays in the spool folder: {error.what}")
        return False
    return True


def _contents(project: Project, one: Submission) -> list[bytes]:
    """Return patch, plan and lists of files; the ledger has them from the submission on."""
    found = []
    for sha256 in one.contents:
        with suppress(FreezerError, OSError):
            found.append(project.store.verified(sha256).read_bytes())
    return found


def _tidy(submissions: Submissions, one: Submission) -> None:
    """Remove what the jobs of a submission shared, once the last of them is recorded."""
    batch = Path(one.folder).parent
    for run in submissions.runs():
        with suppress(FleetError):
            other = submissions.get(run)
            if other is not None and Path(other.folder).parent == batch:
                return
    for name in _OF_BATCH:
        path = batch / name
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):
                path.unlink(missing_ok=True)

"""Submits trainings to Slurm: a job for a run, or one job array for the runs of a sweep."""

from __future__ import annotations

import secrets
import shutil
import time
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from freezer.errors import FleetError, FreezerError, RunError, Where
from freezer.fleet.slurm import UnansweredError
from freezer.fleet.trainings.submission import Submission, Submissions
from freezer.flows.runs.cluster.batch import Batch, SweepPlan
from freezer.flows.runs.cluster.job import sbatch, withdraw
from freezer.flows.runs.cluster.place import is_apart, require_shared, spool_folder
from freezer.flows.runs.cluster.task import command_of, secret_parameters, with_cpus
from freezer.flows.runs.cluster.write import make_private, write
from freezer.flows.runs.folders import run_folder, submissions_in
from freezer.flows.runs.ledger import project_ledger
from freezer.flows.runs.prepare import PreparedRun, prepare
from freezer.flows.runs.processes.sweeps import ON_CLUSTER, Sweep, SweepRecord
from freezer.model.record.run import Time

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from freezer.fleet.trainings.options import JobOptions
    from freezer.flows.project.project import Project
    from freezer.flows.runs.cluster.place import Cluster
    from freezer.flows.runs.cluster.write import Written
    from freezer.flows.runs.request import RunRequest
    from freezer.model.record.run import Run


def submit(
    project: Project,
    name: str | None,
    requests: Sequence[RunRequest],
    cluster: Cluster,
    how: JobOptions,
    sweep: SweepPlan | None = None,
) -> tuple[Submission, ...]:
    """Verify everything as for runs on this host, and submit them; return the submissions.

    Several requests are one job array. Raises whatever preparing a run raises, and ``FleetError``
    where it cannot run there: then nothing was submitted, and nothing is left.
    """
    _require_possible(project, cluster, requests)
    identifiers = [secrets.token_hex(8) for _ in requests]
    batch = spool_folder(project) / (identifiers[0] if sweep is None else sweep.id)
    requests = [
        _with_output(project, _linked(one, sweep), run, batch, number)
        for number, (one, run) in enumerate(zip(requests, identifiers, strict=True), 1)
    ]
    make_private(batch)
    try:
        prepared = prepare(project, name, requests[0], identifiers[0], elsewhere=True)
    except BaseException:
        shutil.rmtree(batch, ignore_errors=True)
        raise
    return submit_prepared(project, prepared, requests, identifiers, cluster, how, sweep)


def submit_prepared(
    project: Project,
    prepared: PreparedRun,
    requests: Sequence[RunRequest],
    identifiers: Sequence[str],
    cluster: Cluster,
    how: JobOptions,
    sweep: SweepPlan | None = None,
) -> tuple[Submission, ...]:
    """Submit what was prepared. The requests differ in parameters, seed and output alone."""
    cpus = prepared.environment.spec.resources.cpus
    if cpus is None:
        project.report.note(
            "each rank gets 1 CPU: `resources.cpus` of freeze.yaml says how many it needs"
        )
    batch = Batch(
        project=project,
        prepared=with_cpus(prepared, cpus or 1),
        requests=requests,
        identifiers=identifiers,
        cluster=cluster,
        how=how,
        sweep=sweep,
        folder=spool_folder(project) / (identifiers[0] if sweep is None else sweep.id),
    )
    submissions = Submissions(submissions_in(project.root))
    with ExitStack() as undo:
        undo.callback(_remove, batch, submissions)
        written = write(batch)
        submissions.make()
        # Nobody collects a run that ends at once before the ledger has it as one that runs.
        with submissions.locked(wait=True):
            for one in written.submissions:
                submissions.put(one)
            try:
                number = sbatch(batch)
            except UnansweredError as error:
                undo.pop_all()
                _record(batch, written)
                raise FleetError(
                    f"{error.what}: whether Slurm has the job of run {identifiers[0]} is not known",
                    found=error.found,
                    hint="do not submit it again yet: `freeze runs list` records it, or that there "
                    "is none",
                ) from None
            except KeyboardInterrupt:
                withdraw(batch)
                raise
            undo.pop_all()
            jobs = tuple(one.model_copy(update={"job": number}) for one in written.submissions)
            for one in jobs:
                submissions.put(one)
            _record(batch, written)
    return jobs


def _require_possible(project: Project, cluster: Cluster, requests: Sequence[RunRequest]) -> None:
    """Refuse what cannot work on a cluster before anything is built or hashed."""
    if not requests[0].command:
        raise RunError("there is no command to run", expected="freeze run ENV -- COMMAND...")
    first = secret_parameters(requests[0])
    for one in requests:
        if any(one.params[name] != requests[0].params[name] for name in first):
            raise FleetError(
                "a secret parameter cannot differ between the runs of a job array",
                found=", ".join(first),
                expected="-p, once for all runs",
            )
        command_of(one, one.seed or 0)
    paths = {"the folder of submitted runs": spool_folder(project)}
    if not is_apart():
        paths["the project"] = project.root
    if requests[0].output is not None:
        paths["the output folder"] = requests[0].output.absolute().parent
    require_shared(cluster, paths)


def _linked(request: RunRequest, sweep: SweepPlan | None) -> RunRequest:
    """Return a request whose run is linked to its sweep."""
    return (
        request if sweep is None else replace(request, links={**request.links, "sweep": sweep.id})
    )


def _with_output(
    project: Project, request: RunRequest, run: str, batch: Path, number: int
) -> RunRequest:
    """Return a request with an output folder that nodes see."""
    output = request.output or (batch / str(number) / "output" if is_apart() else None)
    output = (output or run_folder(project, run) / "output").absolute()
    if output.exists():
        raise RunError(
            "the output folder is there already",
            where=Where(str(output)),
            hint="name one that is not: what a run leaves must be its own",
        )
    return replace(request, output=output)


def _record(batch: Batch, written: Written) -> None:
    """Record that the runs were submitted: in the ledger, and in the list of sweeps."""
    from freezer.ledger.record import record_many  # loads SQLAlchemy

    contents = [written.contents, *([()] * (len(written.runs) - 1))]  # the same for all of them
    try:
        with project_ledger(batch.project, collecting=False) as ledger:
            record_many(
                ledger,
                ((run, {}, some) for run, some in zip(written.runs, contents, strict=True)),
            )
    except FreezerError as error:
        batch.project.report.warn(
            f"submitted, and not in the ledger yet: {error.what}; the result will be"
        )
    if batch.sweep is not None:
        _record_sweep(batch.project, batch.sweep, written.runs, batch.name)


def _remove(batch: Batch, submissions: Submissions) -> None:
    """Remove everything that was written: nothing was submitted."""
    for run in batch.identifiers:
        submissions.remove(run)
        shutil.rmtree(run_folder(batch.project, run), ignore_errors=True)
    shutil.rmtree(batch.folder, ignore_errors=True)
    for request in batch.requests:
        if request.output is not None:
            with suppress(OSError):  # what is in it is not of these runs, none of which began
                request.output.rmdir()


def _record_sweep(project: Project, plan: SweepPlan, runs: Sequence[Run], name: str) -> None:
    sweep = Sweep(
        id=plan.id,
        environment=plan.environment,
        state="running",
        started=Time(time.time_ns() // 1000),
        total=len(runs),
        command=runs[0].command,
        owner={ON_CLUSTER: name},
    )
    record = SweepRecord(project, sweep, plan.labels)
    for number, run in enumerate(runs):
        record.began(number, run.id)

"""Submits trainings to Slurm: a job for a run, or one job array for the runs of a sweep."""

from __future__ import annotations

import secrets
import shlex
import shutil
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from freezer.errors import FleetError, FreezerError, RunError, Where
from freezer.fetch.store.atomic import disk_errors, write_atomically
from freezer.fleet.program import host_program
from freezer.fleet.slurm import Slurm, UnansweredError
from freezer.fleet.trainings.jobs import TrainingJob, require_taken, submission_words
from freezer.fleet.trainings.submission import Submission, Submissions
from freezer.flows.fleet.images import fleet_environment
from freezer.flows.fleet.place import fleets_folder
from freezer.flows.runs.cluster.data import data_of_task
from freezer.flows.runs.cluster.place import (
    Cluster,
    is_apart,
    require_shared,
    spool_folder,
)
from freezer.flows.runs.cluster.snapshot import put_code
from freezer.flows.runs.cluster.task import (
    TaskParts,
    command_of,
    secret_parameters,
    task_document,
    with_cpus,
)
from freezer.flows.runs.facts import begun, settings_in_force
from freezer.flows.runs.folders import run_folder, submissions_in
from freezer.flows.runs.ledger import project_ledger
from freezer.flows.runs.prepare import PreparedRun, listings, prepare
from freezer.flows.runs.processes.sweeps import ON_CLUSTER, Sweep, SweepRecord
from freezer.flows.runs.request import RUNNER, Folders, HostSide, options
from freezer.inside import runner_folder
from freezer.model.canonical import json_bytes
from freezer.model.record.run import Time, run_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from freezer.engine.interface import Mount, RunOptions
    from freezer.fleet.request import FleetEnvironment
    from freezer.fleet.trainings.options import JobOptions
    from freezer.flows.project.project import Project
    from freezer.flows.runs.request import RunRequest
    from freezer.model.record.run import Run, Value

_PROGRAM = "host.pyz"


@dataclass(frozen=True)
class SweepPlan:
    """The sweep that some requests make."""

    id: str
    environment: str | None
    labels: Sequence[str]
    """What the lines of each run begin with."""


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
    _make_private(batch)
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
    batch = spool_folder(project) / (identifiers[0] if sweep is None else sweep.id)
    made = _Batch(project, prepared, requests, identifiers, cluster, how, sweep, batch)
    submissions = Submissions(submissions_in(project.root))
    try:
        jobs = made.write()
        for one in jobs:
            submissions.put(one)
        number = made.sbatch()
    except UnansweredError as error:
        made.record()
        raise FleetError(
            f"the Slurm controller did not answer: whether it has the job of run "
            f"{identifiers[0]} is not known",
            found=error.found,
            hint="do not submit it again yet: `freeze runs list` records it, or that there is none",
        ) from None
    except BaseException:
        for run in identifiers:
            submissions.remove(run)
        made.remove()
        raise
    jobs = tuple(one.model_copy(update={"job": number}) for one in jobs)
    for one in jobs:
        submissions.put(one)
    made.record()
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


def _make_private(batch: Path) -> None:
    """Make the folder of a submission, which its owner alone can read. Raises ``HostError``."""
    with disk_errors(batch.parent.parent):
        for path in (batch.parent, batch):
            path.mkdir(mode=0o700, exist_ok=True)


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


class _Batch:
    """What one command submits: its folder, its runs, and the job or array."""

    def __init__(
        self,
        project: Project,
        prepared: PreparedRun,
        requests: Sequence[RunRequest],
        identifiers: Sequence[str],
        cluster: Cluster,
        how: JobOptions,
        sweep: SweepPlan | None,
        batch: Path,
    ) -> None:
        spec = prepared.environment.spec
        if spec.resources.cpus is None:
            project.report.note(
                "each rank gets 1 CPU: `resources.cpus` of freeze.yaml says how many it needs"
            )
        self._project = project
        self._prepared = with_cpus(prepared, spec.resources.cpus or 1)
        self._requests = requests
        self._ids = identifiers
        self._cluster = cluster
        self._how = how
        self._sweep = sweep
        self._folder = batch
        self._name = f"freezer-{batch.name}"
        self._gpus = 0
        self._runs: list[Run] = []
        self._contents: list[bytes] = []

    def write(self) -> tuple[Submission, ...]:
        """Write the folder that nodes read; return the submissions."""
        project, prepared = self._project, self._prepared
        self._require_network()
        self._gpus = self._count_gpus()
        roots = {f"data set {one.name}": one.root for one, _ in prepared.sets}
        require_shared(self._cluster, roots)
        image = fleet_environment(
            project, prepared.locked, fleets_folder(project), pull=self._how.pull
        )
        _make_private(self._folder)
        with disk_errors(self._folder):
            write_atomically(self._folder / _PROGRAM, host_program())
            _copy_runner(self._folder / "runner")
        mounts, data = data_of_task(project, prepared.sets, self._folder / "views")
        plan = self._requests[0].plan
        self._contents = [
            one
            for one in (
                prepared.code.patch, b"" if plan is None else plan.data,
                *listings(project, prepared),
            )
            if one
        ]  # fmt: skip
        contents = tuple(project.store.put_bytes(one) for one in self._contents)
        made = tuple(
            self._submission(number, image, mounts, data, contents)
            for number in range(1, len(self._requests) + 1)
        )
        put_code(project, prepared, self._runs[0], self._folder / "code")
        return made

    def sbatch(self) -> str:
        """Submit the job; return its number. Raises ``FleetError``."""
        how, spec = self._how, self._prepared.environment.spec
        index = "1" if self._sweep is None else "$SLURM_ARRAY_TASK_ID"
        task = f"{shlex.quote(str(self._folder))}/{index}/task.json"
        program = shlex.join([how.python, "-I", str(self._folder / _PROGRAM), "run"])
        escaped = str(self._folder).replace("%", "%%")
        first = self._requests[0]
        hidden = secret_parameters(first)
        job = TrainingJob(
            name=self._name,
            partition=self._cluster.target.partition,
            constraint=self._cluster.target.constraint,
            script=f"#!/bin/sh\nexec {program} {task}\n",
            log=f"{escaped}/{'1' if self._sweep is None else '%a'}/job.log",
            cpus=spec.resources.cpus or 1,
            memory=spec.resources.memory,
            gpus=self._gpus,
            tasks=None if self._sweep is None else len(self._requests),
            variables={hidden[name]: first.params[name] for name in hidden},
        )
        said = Slurm().submit_words(submission_words(job, how), job.script, job.variables)
        return require_taken(said)

    def record(self) -> None:
        """Record that the runs were submitted: in the ledger, and in the list of sweeps."""
        from freezer.ledger.record import record_many  # loads SQLAlchemy

        contents = [self._contents, *([()] * (len(self._runs) - 1))]  # the same for all of them
        try:
            with project_ledger(self._project, collecting=False) as ledger:
                record_many(
                    ledger,
                    ((run, {}, some) for run, some in zip(self._runs, contents, strict=True)),
                )
        except FreezerError as error:
            self._project.report.warn(
                f"submitted, and not in the ledger yet: {error.what}; the result will be"
            )
        if self._sweep is not None:
            _record_sweep(self._project, self._sweep, self._runs, self._name)

    def remove(self) -> None:
        """Remove everything that was written: nothing was submitted."""
        shutil.rmtree(self._folder, ignore_errors=True)
        for request, run in zip(self._requests, self._ids, strict=True):
            if request.output is not None:
                shutil.rmtree(request.output, ignore_errors=True)
            shutil.rmtree(run_folder(self._project, run), ignore_errors=True)

    def _submission(
        self,
        number: int,
        image: FleetEnvironment,
        mounts: Sequence[Mount],
        data: Mapping[str, Mapping[str, Any]],
        contents: tuple[str, ...],
    ) -> Submission:
        request, run = self._requests[number - 1], self._ids[number - 1]
        output = request.output or self._prepared.output
        prepared = replace(self._prepared, output=output)
        folder, nonce = self._folder / str(number), secrets.token_hex(16)
        confined = self._confined(request, prepared, mounts)
        begin = self._begun(request, prepared, run, confined)
        self._runs.append(begin)
        seed = prepared.environment.spec.determinism.seed if request.seed is None else request.seed
        parts = TaskParts(
            run=run,
            nonce=nonce,
            folder=folder,
            output=output,
            image=image,
            confined=confined,
            command=command_of(request, seed),
            secrets=secret_parameters(request),
            data=data,
            options=self._how,
        )
        with disk_errors(folder.parent):
            folder.mkdir(exist_ok=True)  # the output folder may be in it
            output.mkdir(parents=True, exist_ok=True)
            write_atomically(folder / "task.json", json_bytes(task_document(parts)) + b"\n")
        return Submission(
            run=run,
            nonce=nonce,
            name=self._name,
            index=None if self._sweep is None else number,
            sweep=None if self._sweep is None else self._sweep.id,
            folder=str(folder),
            output=str(output),
            created=int(time.time()),
            requeue=self._how.requeue,
            ranks=self._how.ranks,
            image=image.image,
            document=run_bytes(begin).decode(),
            contents=contents,
            expect=dict(prepared.environment.spec.expect),
        )

    def _confined(
        self, request: RunRequest, prepared: PreparedRun, mounts: Sequence[Mount]
    ) -> RunOptions:
        """Return the options of the container, as of a run on this host."""
        spec, how = prepared.environment.spec, self._how
        record = prepared.record  # each rank has its own, which its host mounts
        folders = Folders(code=self._folder / "code", output=prepared.output, record=record)
        host = HostSide(
            cpus=spec.resources.cpus or 1, gpus=self._gpus > 0, fingerprint=how.ranks == 1
        )
        confined = options(spec, request, mounts, folders=folders, host=host)
        runner = str(self._folder / "runner")
        return replace(
            confined,
            network="host" if how.ranks > 1 else confined.network,
            mounts=[
                replace(one, source=runner) if one.target == RUNNER else one
                for one in confined.mounts
            ],
        )

    def _begun(
        self, request: RunRequest, prepared: PreparedRun, run: str, confined: RunOptions
    ) -> Run:
        """Return the run as it is submitted: nothing is known of its host."""
        how = self._how
        begin = begun(self._project, prepared, request, run)
        more: dict[str, Value] = {"slurm.partition": self._cluster.target.partition}
        if self._cluster.target.constraint:
            more["slurm.constraint"] = self._cluster.target.constraint
        if how.ranks > 1:
            more |= {"slurm.nodes": how.nodes, "slurm.ntasks-per-node": how.ntasks_per_node}
        if self._gpus:
            more["slurm.gpus-per-node"] = self._gpus
        known = {
            name: value
            for name, value in begin.fields.items()
            if name not in {"host.name", "engine"}
        }
        settings = settings_in_force(prepared.image, confined)
        owner: dict[str, Value] = {ON_CLUSTER: self._name, "output": str(prepared.output)}
        owner["spool"] = str(self._folder / str(self._ids.index(run) + 1))
        return replace(begin, fields={**known, **settings, **more}, owner=owner)

    def _count_gpus(self) -> int:
        """Return the GPUs of each node: of the options, the spec, or what the nodes have."""
        wanted, asked = self._how.gpus_per_node, self._requests[0].gpus
        if asked is False and wanted:
            raise FleetError("--no-gpus and --gpus-per-node contradict each other")
        resources = self._prepared.environment.spec.resources
        needed = asked if asked is not None else resources.gpus
        if needed is None:
            accelerated = self._prepared.locked.lock.accelerator is not None
            needed = bool(wanted) or (accelerated and self._cluster.has_gpus)
        if needed and not self._cluster.has_gpus:
            raise FleetError(
                f"no node of {self._cluster.target.text} has GPUs that Slurm hands out",
                expected="a partition whose nodes have them (`sinfo -o '%N %G'`), or --no-gpus",
            )
        return (wanted or 1) if needed else 0

    def _require_network(self) -> None:
        if self._how.ranks > 1 and not self._prepared.environment.spec.resources.network:
            raise FleetError(
                f"the {self._how.ranks} ranks of a run reach each other by network, "
                "and the spec allows none",
                expected="`resources: {network: true}` in freeze.yaml; it is no part of the lock",
            )


def _copy_runner(target: Path) -> None:
    """Copy the package that is mounted into the container, as the installed Freezer has it."""
    shutil.copytree(runner_folder(), target, ignore=shutil.ignore_patterns("__pycache__"))


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

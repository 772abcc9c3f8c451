"""Writes what the jobs of a submission read: their tasks, the code, the runner, and the program."""

from __future__ import annotations

import os
import secrets
import stat
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from freezer.errors import FleetError, Where
from freezer.fetch.store.atomic import disk_errors, write_atomically
from freezer.fleet.program import host_program
from freezer.fleet.trainings.submission import Submission
from freezer.flows.fleet.images import fleet_environment
from freezer.flows.fleet.place import VARIABLE, fleets_folder
from freezer.flows.runs.cluster.batch import PROGRAM
from freezer.flows.runs.cluster.data import data_of_task
from freezer.flows.runs.cluster.place import require_shared
from freezer.flows.runs.cluster.snapshot import copy_tree, put_code
from freezer.flows.runs.cluster.task import (
    TaskParts,
    command_of,
    secret_parameters,
    task_document,
)
from freezer.flows.runs.facts import begun, settings_in_force
from freezer.flows.runs.prepare import listings
from freezer.flows.runs.processes.sweeps import ON_CLUSTER
from freezer.flows.runs.request import RUNNER, Folders, HostSide, options
from freezer.inside import runner_folder
from freezer.model.canonical import json_bytes
from freezer.model.record.run import run_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from freezer.engine.interface import Mount, RunOptions
    from freezer.fleet.request import FleetEnvironment
    from freezer.flows.runs.cluster.batch import Batch
    from freezer.flows.runs.prepare import PreparedRun
    from freezer.flows.runs.request import RunRequest
    from freezer.model.record.run import Run, Value


@dataclass(frozen=True)
class Written:
    """What was written for the jobs of a submission."""

    submissions: tuple[Submission, ...]
    runs: tuple[Run, ...]
    """As they are submitted, in the same order."""
    contents: Sequence[bytes]
    """Patch, plan and lists of files: the same for all runs."""


@dataclass(frozen=True, kw_only=True)
class _Shared:
    """What the tasks of a batch have in common."""

    image: FleetEnvironment
    mounts: Sequence[Mount]
    data: Mapping[str, Mapping[str, Any]]
    contents: tuple[str, ...]
    """By digest, in the store."""


def write(batch: Batch) -> Written:
    """Write the folder that nodes read. Raises ``FleetError`` where the runs cannot work there."""
    project, prepared, folder = batch.project, batch.prepared, batch.folder
    batch.require_network()
    _ = batch.gpus  # refused before anything is written
    require_shared(batch.cluster, {f"data set {one.name}": one.root for one, _ in prepared.sets})
    image = fleet_environment(project, prepared.locked, fleets_folder(project), pull=batch.how.pull)
    make_private(folder)
    with disk_errors(folder):
        write_atomically(folder / PROGRAM, host_program())
        _copy_runner(folder / "runner")
    mounts, data = data_of_task(project, prepared.sets, folder / "views")
    contents = _contents(batch)
    digests = tuple(project.store.put_bytes(one) for one in contents)
    shared = _Shared(image=image, mounts=mounts, data=data, contents=digests)
    made = [_one(batch, number, shared) for number in range(1, len(batch.requests) + 1)]
    put_code(project, prepared, made[0][1], folder / "code")
    return Written(tuple(one for one, _ in made), tuple(run for _, run in made), contents)


def make_private(folder: Path) -> None:
    """Make the folder of a submission, which its owner alone can read.

    Raises ``HostError``, and ``FleetError`` where another user could replace what the job runs.
    """
    with disk_errors(folder.parent.parent):
        for path in (folder.parent, folder):
            path.mkdir(mode=0o700, exist_ok=True)
            found = path.stat()
            owners = {found.st_uid, path.lstat().st_uid}  # of a link as well
            if owners - {os.geteuid(), 0} or found.st_mode & 0o022:
                raise FleetError(
                    "other users can write to the folder of submitted runs, from which jobs start",
                    where=Where(str(path)),
                    found=f"{stat.filemode(found.st_mode)}, of user {found.st_uid}",
                    expected="a folder of your own: `chmod go-w`, or another one in "
                    f"{VARIABLE} if it is not yours",
                )


def _copy_runner(target: Path) -> None:
    """Copy the package that is mounted into the container, as the installed Freezer has it."""

    def ignored(_: str, names: list[str]) -> list[str]:
        return [name for name in names if name == "__pycache__"]

    copy_tree(runner_folder(), target, ignored)


def _contents(batch: Batch) -> list[bytes]:
    plan = batch.requests[0].plan
    every = (
        batch.prepared.code.patch,
        b"" if plan is None else plan.data,
        *listings(batch.project, batch.prepared),
    )
    return [one for one in every if one]


def _one(batch: Batch, number: int, shared: _Shared) -> tuple[Submission, Run]:
    """Write the task of one run, counted from 1; return its submission, and the run."""
    request, run = batch.requests[number - 1], batch.identifiers[number - 1]
    output = request.output or batch.prepared.output
    prepared = replace(batch.prepared, output=output)
    folder, nonce = batch.folder / str(number), secrets.token_hex(16)
    confined = _confined(batch, request, prepared, shared.mounts)
    begin = _begun(batch, request, prepared, run, confined, folder)
    seed = prepared.environment.spec.determinism.seed if request.seed is None else request.seed
    parts = TaskParts(
        run=run,
        nonce=nonce,
        folder=folder,
        output=output,
        image=shared.image,
        confined=confined,
        command=command_of(request, seed),
        secrets=secret_parameters(request),
        data=shared.data,
        options=batch.how,
    )
    with disk_errors(folder.parent):
        folder.mkdir(exist_ok=True)  # the output folder may be in it
        output.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / "task.json", json_bytes(task_document(parts)) + b"\n")
    submission = Submission(
        run=run,
        nonce=nonce,
        name=batch.name,
        index=None if batch.sweep is None else number,
        sweep=None if batch.sweep is None else batch.sweep.id,
        cluster=batch.cluster_name,
        folder=str(folder),
        output=str(output),
        created=int(time.time()),
        requeue=batch.how.requeue,
        ranks=batch.how.ranks,
        image=shared.image.image,
        document=run_bytes(begin).decode(),
        contents=shared.contents,
        expect=dict(prepared.environment.spec.expect),
    )
    return submission, begin


def _confined(
    batch: Batch, request: RunRequest, prepared: PreparedRun, mounts: Sequence[Mount]
) -> RunOptions:
    """Return the options of the container, as of a run on this host."""
    spec, how = prepared.environment.spec, batch.how
    record = prepared.record  # each rank has its own, which its host mounts
    folders = Folders(code=batch.folder / "code", output=prepared.output, record=record)
    host = HostSide(cpus=batch.cpus, gpus=batch.gpus > 0, fingerprint=how.ranks == 1)
    confined = options(spec, request, mounts, folders=folders, host=host)
    runner = str(batch.folder / "runner")
    return replace(
        confined,
        network="host" if how.ranks > 1 else confined.network,
        mounts=[
            replace(one, source=runner) if one.target == RUNNER else one for one in confined.mounts
        ],
    )


def _begun(
    batch: Batch,
    request: RunRequest,
    prepared: PreparedRun,
    run: str,
    confined: RunOptions,
    folder: Path,
) -> Run:
    """Return the run as it is submitted: nothing is known of its host."""
    how, target = batch.how, batch.cluster.target
    begin = begun(batch.project, prepared, request, run)
    more: dict[str, Value] = {"slurm.partition": target.partition}
    if target.constraint:
        more["slurm.constraint"] = target.constraint
    if how.ranks > 1:
        more |= {"slurm.nodes": how.nodes, "slurm.ntasks-per-node": how.ntasks_per_node}
    if batch.gpus:
        more["slurm.gpus-per-node"] = batch.gpus
    known = {
        name: value for name, value in begin.fields.items() if name not in {"host.name", "engine"}
    }
    settings = settings_in_force(prepared.image, confined)
    owner: dict[str, Value] = {ON_CLUSTER: batch.name, "output": str(prepared.output)}
    owner["spool"] = str(folder)
    return replace(begin, fields={**known, **settings, **more}, owner=owner)

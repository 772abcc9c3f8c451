"""The job or array of a submission: handed to ``sbatch``, and withdrawn."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from freezer.errors import FleetError
from freezer.fleet.slurm import Slurm
from freezer.fleet.trainings.jobs import TrainingJob, require_taken, submission_words
from freezer.flows.runs.cluster.batch import PROGRAM
from freezer.flows.runs.cluster.task import secret_parameters

if TYPE_CHECKING:
    from freezer.flows.runs.cluster.batch import Batch

NO_ARRAY: Final = "Invalid job array specification"
"""The error of ``sbatch`` for more tasks than ``MaxArraySize`` allows."""


def sbatch(batch: Batch) -> str:
    """Submit the job; return its number.

    Raises ``FleetError`` where Slurm refuses it, ``UnansweredError`` where it may have the job.
    """
    spec, folder, first = batch.prepared.environment.spec, batch.folder, batch.requests[0]
    index = "1" if batch.sweep is None else "$SLURM_ARRAY_TASK_ID"
    task = f"{shlex.quote(str(folder))}/{index}/task.json"
    program = shlex.join([batch.how.python, "-I", str(folder / PROGRAM), "run"])
    escaped = str(folder).replace("%", "%%")
    hidden = secret_parameters(first)
    job = TrainingJob(
        name=batch.name,
        partition=batch.cluster.target.partition,
        constraint=batch.cluster.target.constraint,
        script=f"#!/bin/sh\nexec {program} {task}\n",
        log=f"{escaped}/{'1' if batch.sweep is None else '%a'}/job.log",
        cpus=batch.cpus,
        memory=spec.resources.memory,
        gpus=batch.gpus,
        tasks=batch.tasks,
        variables={hidden[name]: first.params[name] for name in hidden},
    )
    words = submission_words(job, batch.how)
    try:
        return require_taken(Slurm().submit_words(words, job.script, job.variables))
    except FleetError as error:
        if batch.tasks is None or NO_ARRAY not in (error.found or ""):
            raise
        raise FleetError(
            f"Slurm takes no job array of {batch.tasks} runs",
            found=error.found,
            expected="fewer runs than MaxArraySize, in `scontrol show config`",
            hint="divide the values of --each among several commands",
        ) from None


def withdraw(batch: Batch) -> None:
    """Cancel a job that Slurm may have taken before the user ended this command."""
    try:
        Slurm(patient=False).cancel_named(batch.name)
    except FleetError:
        batch.project.report.warn(
            "whether Slurm has taken the job is not known: "
            f"`squeue --me --name={batch.name}` lists it, `scancel` ends it"
        )

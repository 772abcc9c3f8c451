"""Submitting trainings to Slurm, and their jobs in its lists: also those of arrays."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from freezer.fleet.jobs import Job, joined
from freezer.fleet.slurm import UnansweredError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from freezer.fleet.slurm import Slurm
    from freezer.fleet.trainings.options import JobOptions

_COLUMNS: Final = "%i|%j|%T|%N|%r"
_ACCOUNTING: Final = "JobID,JobName,State,NodeList,ExitCode"
_TASK: Final = re.compile(r"(?P<job>[0-9]+)(_(?P<index>[0-9]+))?")


@dataclass(frozen=True, kw_only=True)
class TrainingJob:
    """One job, or an array of them, as it is submitted."""

    name: str
    partition: str
    constraint: str
    script: str
    log: str
    """Path of the job's own output, with ``%a`` for the task of an array."""
    cpus: int
    """For each rank."""
    memory: str | None
    """For each rank, such as ``2g``."""
    gpus: int
    """On each node."""
    tasks: int | None
    """Of an array; None for a job of its own."""
    variables: Mapping[str, str]
    """Secret parameters, which travel in the job's environment."""


def submission_words(job: TrainingJob, options: JobOptions) -> list[str]:
    """Return the command line of ``sbatch``. Pure."""
    throttle = f"%{options.at_once}" if options.at_once else ""
    words = [
        "sbatch", "--parsable", f"--job-name={job.name}", f"--partition={job.partition}",
        f"--nodes={options.nodes}", f"--ntasks-per-node={options.ntasks_per_node}",
        f"--cpus-per-task={job.cpus}", "--requeue" if options.requeue else "--no-requeue",
        "--open-mode=append", f"--output={job.log}",
    ]  # fmt: skip
    words += [f"--constraint={job.constraint}"] if job.constraint else []
    words += [f"--mem={_times(job.memory, options.ntasks_per_node)}"] if job.memory else []
    words += [f"--time={_minutes(options.time)}"] if options.time else []
    words += [f"--gres=gpu:{job.gpus}"] if job.gpus else []
    words += [f"--array=1-{job.tasks}{throttle}"] if job.tasks is not None else []
    return [*words, *options.sbatch]


def _times(memory: str, count: int) -> str:
    return f"{int(memory[:-1]) * count}{memory[-1].upper()}"


def _minutes(seconds: int) -> int:
    """Return whole minutes, in which Slurm counts."""
    return -(-seconds // 60)


def require_taken(number: str) -> str:
    """Return the number that ``sbatch --parsable`` printed.

    Raises ``UnansweredError``: it ended well, so that there may be a job.
    """
    found = number.strip().partition(";")[0]
    if not found.isdecimal():
        raise UnansweredError("sbatch printed no job number", found=number.strip()[:200])
    return found


def training_jobs(
    slurm: Slurm, keys: Collection[str], since: int, known: Mapping[str, Job]
) -> dict[str, Job]:
    """Return jobs by name, those of arrays by ``NAME_INDEX``; not those unknown to every list.

    Raises ``FleetError`` when the controller does not answer.
    """
    queue = parse_tasks(slurm.answer("squeue", "-h", "--me", "-r", "-t", "all", "-o", _COLUMNS))
    found = {key: job for key, job in queue.items() if key in keys}
    over = {key: job for key, job in known.items() if not job.active}
    missing = [key for key in keys if key not in found and key not in over]
    listed = slurm.accounting(since, missing, _ACCOUNTING, parse_tasks) if missing else {}
    accounted = {key: job for key, job in listed.items() if key in keys}
    return joined(found, accounted, over)


def parse_tasks(text: str) -> dict[str, Job]:
    """Return the rows of ``squeue -r`` or ``sacct`` by the key of a submission. Pure.

    Tasks that an array has not begun stand in one row of ``sacct``, ``7_[3-9]``: left out, as
    ``squeue`` lists each of them.
    """
    found: dict[str, Job] = {}
    for line in text.splitlines():
        row = [part.strip() for part in line.split("|", 4)]
        match = _TASK.fullmatch(row[0])
        if len(row) != 5 or match is None:
            continue
        key = row[1] if match["index"] is None else f"{row[1]}_{match['index']}"
        found[key] = Job(row[0], row[1], (row[2].split() or [""])[0], row[3], row[4])
    return found

"""Submitting one attempt of a fleet: a job for each host, exactly once."""

from __future__ import annotations

import secrets
import shlex
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from freezer.errors import FleetError
from freezer.fleet.folder import FleetFolder, task_document
from freezer.fleet.request import Attempt, Request, Submission
from freezer.fleet.slurm import JobRequest, Slurm
from freezer.fleet.state import Cause

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freezer.fleet.jobs import Node
    from freezer.model.events import Reporter, Task

_AT_ONCE: Final = 8
_MARGIN: Final = 600
"""Seconds of a job for loading an image, beyond the trainings' own limits."""
_TITLES: Final = {Cause.DOWN: "the node is down", Cause.DRAINED: "the node is drained"}


def submit_attempt(
    folder: FleetFolder,
    request: Request,
    slurm: Slurm,
    wanted: Mapping[Node, tuple[str, ...]],
    report: Reporter,
) -> Attempt:
    """Submit a job for each host, with the environments that it is to check.

    The attempt is stored before the first job and again after the last one. Jobs are found by
    their names, so that none is lost, or submitted again, when this process is killed in between.
    The caller holds the folder's lock.
    """
    number = folder.next_attempt()
    planned = {node.name: _planned(node, some) for node, some in wanted.items()}
    attempt = Attempt(
        number=number, created=int(time.time()), nonce=secrets.token_hex(16), hosts=planned
    )
    folder.write_task(number, task_document(folder, request, attempt))
    folder.write_attempt(attempt)
    usable = [node for node in wanted if planned[node.name].cause is None]
    with (
        report.task("Submitting", total=len(usable), unit="jobs") as task,
        ThreadPoolExecutor(_AT_ONCE) as pool,
    ):
        done = dict(
            pool.map(lambda node: _submit(folder, request, attempt, slurm, node, task), usable)
        )
    attempt = attempt.model_copy(update={"hosts": {**planned, **done}})
    folder.write_attempt(attempt)
    return attempt


def _planned(node: Node, environments: tuple[str, ...]) -> Submission:
    cause = node.unusable
    if cause is None:
        return Submission(environments=environments)
    reason = f"{_TITLES[cause]}: {node.state}{f', {node.reason}' if node.reason else ''}"
    return Submission(environments=environments, cause=cause.value, reason=reason[:2000])


def _submit(
    folder: FleetFolder,
    request: Request,
    attempt: Attempt,
    slurm: Slurm,
    node: Node,
    task: Task,
) -> tuple[str, Submission]:
    planned = attempt.hosts[node.name]
    asked = [one for one in request.environments if one.name in planned.environments]
    job = JobRequest(
        name=attempt.job_name(request.id, node.name),
        node=node.name,
        script=_script(folder, request, attempt.number, node.name),
        log=folder.log(attempt.number, node.name),
        cpus=max(one.cpus for one in asked),
        memory=max((one.memory for one in asked), key=_bytes),
        gpus=int(node.has_gpus and any(one.gpus for one in asked)),
        seconds=int(sum(one.timeout + 60 for one in asked)) + _MARGIN,
        deadline=request.deadline,
    )
    try:
        number = slurm.submit(request.partition, job)
    except FleetError as error:
        refused = {"cause": Cause.REFUSED.value, "reason": (error.found or error.what)[:2000]}
        return node.name, planned.model_copy(update=refused)
    finally:
        task.advance()
    return node.name, planned.model_copy(update={"job": number})


def _script(folder: FleetFolder, request: Request, number: int, host: str) -> str:
    words = [request.python, "-I", str(folder.program), str(folder.task(number)), host]
    return f"#!/bin/sh\nexec {shlex.join(words)}\n"


def _bytes(memory: str) -> int:
    """Return the bytes of ``512m`` or ``2g``."""
    return int(memory[:-1]) << {"k": 10, "m": 20, "g": 30, "t": 40}[memory[-1]]

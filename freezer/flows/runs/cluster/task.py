"""The task that a node reads: a run's container as plain values, without anything else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from freezer.errors import FleetError
from freezer.fetch.http.secret_words import is_secret_name, redact_words
from freezer.flows.runs.request import (
    PYTHON,
    RECORD,
    RUNNER,
    open_command,
    parameter_variable,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from freezer.engine.interface import RunOptions
    from freezer.fleet.request import FleetEnvironment
    from freezer.fleet.trainings.options import JobOptions
    from freezer.flows.runs.prepare import PreparedRun
    from freezer.flows.runs.request import RunRequest

SCHEMA: Final = "freezer/run-task/1"
_PARAM: Final = "FREEZER_PARAM_"


@dataclass(frozen=True, kw_only=True)
class TaskParts:
    """What a task is made of."""

    run: str
    nonce: str
    folder: Path
    output: Path
    image: FleetEnvironment
    confined: RunOptions
    command: tuple[str, ...]
    secrets: Mapping[str, str]
    """Variables of secret parameters, by the parameter."""
    data: Mapping[str, Mapping[str, Any]]
    options: JobOptions


def task_document(parts: TaskParts) -> dict[str, Any]:
    """Return the task of one run. Pure."""
    confined, image, options = parts.confined, parts.image, parts.options
    return {
        "schema": SCHEMA,
        "run": parts.run,
        "nonce": parts.nonce,
        "folder": str(parts.folder),
        "output": str(parts.output),
        "image": {
            "image": image.image,
            "manifest": image.manifest,
            "archive": image.archive,
            "pull": image.pull,
            "images": image.images,
        },
        "runtimes": list(options.runtimes),
        "runner": [PYTHON, f"{RUNNER}/runner.py", RECORD],
        "fingerprint": [PYTHON, "-m", "freezer_inside.fingerprint"],
        "record": RECORD,
        "command": list(parts.command),
        "secrets": dict(parts.secrets),
        "environment": {
            name: text
            for name, text in {**confined.environment, "FREEZER_ATTACHED": "1"}.items()
            if name not in parts.secrets.values()
        },
        "mounts": [
            {"source": one.source, "target": one.target, "read-only": one.read_only}
            for one in confined.mounts
            if one.target != RECORD
        ],
        "tmpfs": dict(confined.tmpfs),
        "working-dir": confined.working_dir,
        "memory": confined.memory,
        "cpus": confined.cpus,
        "pids": confined.pids,
        "network": confined.network,
        "gpus": confined.gpus,
        "data": {name: dict(one) for name, one in parts.data.items()},
        "ranks": options.ranks,
        "ranks-per-node": options.ntasks_per_node,
        "mixed": options.mixed_classes,
    }


def command_of(request: RunRequest, seed: int) -> tuple[str, ...]:
    """Return the command as the task holds it: secret parameters are put in on the node.

    Raises ``FleetError`` for a command that holds a secret itself.
    """
    words = open_command(request, seed)
    if redact_words(words)[0] != words:
        raise FleetError(
            "the command holds a secret, which would be written to the shared folder",
            expected="a parameter: -p token=... and {token} in the command; it travels in the "
            "job's environment",
        )
    return words


def secret_parameters(request: RunRequest) -> dict[str, str]:
    """Return the variables of a request's secret parameters, by the parameter."""
    return {
        name: f"{_PARAM}{parameter_variable(name)}"
        for name in request.params
        if is_secret_name(name)
    }


def with_cpus(prepared: PreparedRun, cpus: int) -> PreparedRun:
    """Return a prepared run with a number of CPUs: that of a node is not known here."""
    spec = prepared.environment.spec
    resources = spec.resources.model_copy(update={"cpus": cpus})
    spec = spec.model_copy(update={"resources": resources})
    return replace(prepared, environment=replace(prepared.environment, spec=spec))

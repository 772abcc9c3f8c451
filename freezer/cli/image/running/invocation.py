"""What one `freeze run` is to do, and the command lines of the processes that it starts."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

from freezer.cli.session import current
from freezer.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from freezer.flows.runs.repeat.resume import Resume
    from freezer.flows.runs.request import RunRequest

CPUS_OPTION: Final = "--cpu-positions"
GPUS_OPTION: Final = "--gpu-positions"
REPORT_OPTION: Final = "--report-fd"
RESULT_OPTION: Final = "--result-file"
SWEEP_OPTION: Final = "--sweep-id"
DETACHED_OPTION: Final = "--detached"


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """One `freeze run`: a single run, or a sweep."""

    env: str | None
    request: RunRequest
    """Of a sweep without the values that differ from run to run."""
    each: Sequence[str] = ()
    """``NAME=VALUES``, as they were given; empty for a single run."""
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The same, read."""
    jobs: int = 1
    how: Resume | None = None
    junit: Path | None = None
    json: bool = False
    sweep: str | None = None
    """The ID of the sweep that this is, or that its run belongs to."""
    result: Path | None = None
    """Of a run's own process: gets the document of the run."""

    @cached_property
    def requests(self) -> tuple[RunRequest, ...]:
        """The runs, in their order. Raises ``RunError`` for a value that is given twice."""
        from freezer.flows.runs.sweep import requests

        return tuple(requests(self.request, self.values))


def require_usable(todo: Invocation) -> None:
    """Refuse what contradicts itself before anything is made. Raises ``RunError``."""
    if todo.jobs > 1 and not todo.values:
        raise RunError("--jobs is for a sweep", expected="--each NAME=VALUES as well")
    _ = todo.requests  # a value that is given as a parameter too


def with_sweep(todo: Invocation) -> Invocation:
    """Return what is to be done; a sweep has an ID, and each of its runs is linked to it."""
    sweep = todo.sweep
    if todo.values and sweep is None:
        from freezer.flows.runs.processes.sweeps import new_sweep_id

        sweep = new_sweep_id()
    if sweep is None:
        return todo
    links = {**todo.request.links, "sweep": sweep}
    return replace(todo, sweep=sweep, request=replace(todo.request, links=links))


def run_command(todo: Invocation, request: RunRequest) -> list[str]:
    """Return the command line of a process that makes one run, without what follows ``--``."""
    words = child_command(todo.env, request, todo.how)
    return words if todo.sweep is None else [*words, SWEEP_OPTION, todo.sweep]


def sweep_command(todo: Invocation) -> list[str]:
    """Return the command line of a process that makes a sweep, without what follows ``--``."""
    words = child_command(todo.env, todo.request, todo.how)
    for one in todo.each:
        words += ["--each", one]
    words += ["--jobs", str(todo.jobs)]
    return words if todo.sweep is None else [*words, SWEEP_OPTION, todo.sweep]


def child_command(env: str | None, request: RunRequest, how: Resume | None) -> list[str]:
    """Return the command line of a process that makes a run, but for what belongs to a sweep.

    ``-P`` keeps the project's own modules from being taken for those of Freezer and Python.
    """
    quiet = {0: ["-q"], 2: ["-v"]}.get(current.verbosity, [])
    words = [sys.executable, "-P", "-m", "freezer", "-C", str(current.folder), *quiet, "run"]
    words += [] if env is None else [env]
    for one in request.data or ():
        words += ["--data", one]
    for name, text in request.params.items():
        words += ["--param", f"{name}={text}"]
    if request.seed is not None:
        words += ["--seed", str(request.seed)]
    if request.gpus is not None:
        words.append("--gpus" if request.gpus else "--no-gpus")
    words += ["--clean"] if request.clean else []
    if how is not None:
        words += ["--resume", how.run, "--checkpoint", how.path]
        words += ["--new-code"] if how.new_code else []
    if request.plan is not None:
        words += ["--plan", request.plan.name]
    if request.output is not None:
        words += ["--output", str(request.output.absolute())]
    return words

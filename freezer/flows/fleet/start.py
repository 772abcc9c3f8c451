"""``freeze check --on``: prepare a fleet's folder and submit a job for each host."""

from __future__ import annotations

import secrets
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from freezer.errors import FleetError
from freezer.fleet.folder import FleetFolder
from freezer.fleet.program import host_program
from freezer.fleet.request import Request
from freezer.fleet.slurm import Slurm, require_slurm
from freezer.fleet.target import parse_target
from freezer.flows.fleet.engines import check_engines, engine_addresses
from freezer.flows.fleet.images import fleet_environment
from freezer.flows.fleet.place import fleets_folder
from freezer.flows.fleet.submit import submit_attempt
from freezer.flows.history.recorded import ensure_references, readable_history
from freezer.flows.project.environment import environment_names, load_locked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from freezer.fleet.jobs import Node
    from freezer.flows.project.project import Project

SHORTEST: Final = 180
"""Seconds of a deadline at least."""
RUNTIMES: Final = ("docker", "podman", "apptainer", "enroot")


@dataclass(frozen=True, kw_only=True)
class FleetOptions:
    """What the user may choose of a fleet."""

    only: tuple[str, ...] = ()
    """Some of the target's hosts by name; empty: all of them."""
    deadline: int = 3600
    """Seconds until a host's job must have ended."""
    record: bool = False
    pull: bool = False
    """Whether hosts pull the images from the registry to which they were pushed."""
    runtimes: tuple[str, ...] = RUNTIMES
    python: str = "python3"
    slurm: tuple[str, ...] = ()
    """Further options for ``sbatch``."""


def start_fleet(
    project: Project, names: Sequence[str], on: str, options: FleetOptions
) -> FleetFolder:
    """Submit the check of some environments on every host of a target; return the fleet.

    Raises ``FleetError`` for an unusable target, ``CheckError`` when an image is not built,
    ``HistoryError`` for a reference that was exchanged.
    """
    _require_deadline(options.deadline)
    _require_runtimes(options.runtimes)
    hosts = _hosts(project, on, options)
    root = fleets_folder(project)
    chosen = dict.fromkeys(names or _every(project))
    locked = [load_locked(project.root, name) for name in chosen]
    for one in locked:
        if not options.record:
            ensure_references(project, one, readable_history(project, one.lock.name))
    environments = tuple(fleet_environment(project, one, root, pull=options.pull) for one in locked)
    request = Request(
        id=f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(2)}",
        created=int(time.time()),
        target=on,
        partition=hosts.partition,
        addresses=hosts.addresses,
        hosts=tuple(hosts.addresses) or tuple(node.name for node in hosts.nodes),
        environments=environments,
        deadline=options.deadline,
        runtimes=options.runtimes,
        python=options.python,
        options=options.slurm,
        record=options.record,
    )
    folder = FleetFolder(root / request.id)
    folder.create(request, host_program())
    every = tuple(one.name for one in environments)
    with folder.locked(), _resumable(project, folder):
        if hosts.addresses:
            project.report.note(f"fleet {folder.id}")
            check_engines(project, folder, request, dict.fromkeys(hosts.addresses, every))
        else:
            slurm, wanted = Slurm(options.slurm), dict.fromkeys(hosts.nodes, every)
            submit_attempt(folder, request, slurm, wanted, project.report)
    return folder


@contextmanager
def _resumable(project: Project, folder: FleetFolder) -> Iterator[None]:
    """Report the ID of a fleet whose start is interrupted; jobs of it may run."""
    try:
        yield
    except KeyboardInterrupt:
        project.report.note(
            f"fleet {folder.id} is not complete: `freeze fleet resume {folder.id}` checks the rest,"
            f" `freeze fleet cancel {folder.id}` ends its jobs"
        )
        raise


@dataclass(frozen=True)
class _Hosts:
    """The hosts of a target: nodes of a partition, or engines by address."""

    nodes: tuple[Node, ...] = ()
    partition: str = ""
    addresses: Mapping[str, str] = field(default_factory=dict)


def _hosts(project: Project, on: str, options: FleetOptions) -> _Hosts:
    if not on.startswith("slurm:"):
        return _Hosts(addresses=engine_addresses(on, project.root, options.only))
    target = parse_target(on)
    require_slurm()
    nodes = target.select(Slurm(options.slurm).nodes(target.partition), options.only)
    return _Hosts(tuple(nodes), target.partition)


def _every(project: Project) -> list[str | None]:
    names: list[str | None] = list(environment_names(project.root))
    return names or [None]


def _require_deadline(seconds: int) -> None:
    if seconds < SHORTEST:
        raise FleetError(
            "the deadline is too short: Slurm counts in minutes, and starts no job that cannot end",
            found=f"{seconds} seconds",
            expected=f"at least {SHORTEST} seconds",
        )


def _require_runtimes(names: Sequence[str]) -> None:
    unknown = [name for name in names if name not in RUNTIMES]
    if unknown or not names:
        raise FleetError(
            f"there is no container runtime {', '.join(unknown)!r}",
            expected=", ".join(RUNTIMES),
        )

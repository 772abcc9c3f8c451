"""Following a fleet: wait for verdicts, resume, cancel."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, TypeVar

from freezer.errors import FleetError, FreezerError
from freezer.fleet.folder import fleet_folders
from freezer.fleet.slurm import Slurm, require_slurm
from freezer.flows.fleet.engines import check_engines
from freezer.flows.fleet.gather import Fleet, Gatherer
from freezer.flows.fleet.place import fleets_path
from freezer.flows.fleet.submit import submit_attempt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from freezer.fleet.folder import FleetFolder
    from freezer.fleet.request import Request
    from freezer.flows.project.project import Project

T = TypeVar("T")
_PAUSES: Final = (0.5, 1.0, 2.0, 3.0, 5.0)
"""Seconds between two looks at the scheduler: soon at first, then seldom."""
_PATIENCE: Final = 300.0
"""Seconds for which the folder of a fleet may be out of reach while it is waited for."""
_MARGIN: Final = 300.0
"""Seconds after the deadline until waiting ends."""


def read_fleet(project: Project, folder: FleetFolder) -> Fleet:
    """Return what is known of a fleet now. Raises ``FleetError``."""
    return Gatherer(project, folder).read()


def latest_fleets(project: Project, limit: int) -> list[Fleet]:
    """Return the latest fleets of a project, the latest one first.

    One that cannot be read gives a warning, and is left out.
    """
    found = []
    for folder in reversed(fleet_folders(fleets_path(project))[-limit:]):
        try:
            found.append(read_fleet(project, folder))
        except FreezerError as error:
            project.report.warn(f"fleet {folder.id}: {error.what}")
    return found


def wait(
    project: Project, folder: FleetFolder, pause: Callable[[float], None] = time.sleep
) -> Fleet:
    """Wait until every host has a verdict or a reason; return the fleet.

    A shared folder that is gone for a while is waited for. Interrupting costs nothing: the jobs go
    on. Raises ``FleetError`` when the folder stays out of reach.
    """
    gatherer = _patient(lambda: Gatherer(project, folder), pause)
    request = gatherer.request
    end = time.monotonic() + request.deadline + _MARGIN
    total, done, looks = len(request.hosts) * len(request.environments), 0, 0
    with project.report.task("Checking hosts", total=total, unit="verdicts") as task:
        while True:
            fleet = _patient(gatherer.read, pause)
            ready = total - fleet.waiting
            task.advance(ready - done)
            done = ready
            task.describe(", ".join(f"{count} {title}" for title, count in fleet.counts.items()))
            if not fleet.waiting or time.monotonic() > end:
                return fleet
            pause(_PAUSES[min(looks, len(_PAUSES) - 1)])
            looks += 1


def _patient(read: Callable[[], T], pause: Callable[[float], None]) -> T:
    """Read from a folder that may be gone for some minutes."""
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            return read()
        except FleetError:
            if time.monotonic() > end:
                raise
            pause(2.0)


def resume(project: Project, folder: FleetFolder) -> Fleet:
    """Check the hosts without a verdict again, and no others; return the fleet.

    Hosts whose jobs are pending or run are left alone. Raises ``FleetError``, and ``BusyError``
    where another command submits jobs of the fleet.
    """
    with folder.locked():  # from the look on: two commands would both find a host without a verdict
        fleet = read_fleet(project, folder)
        wanted: dict[str, list[str]] = {}
        for row in fleet.rows:
            if row.state.word is None and not row.state.waiting:
                wanted.setdefault(row.host, []).append(row.environment)
        if not wanted:
            return fleet
        again = {host: tuple(names) for host, names in wanted.items()}
        if fleet.request.addresses:
            check_engines(project, folder, fleet.request, again)
        else:
            _submit_again(project, folder, fleet.request, again)
    return read_fleet(project, folder)


def _submit_again(
    project: Project,
    folder: FleetFolder,
    request: Request,
    wanted: Mapping[str, tuple[str, ...]],
) -> None:
    require_slurm()
    slurm = Slurm(request.options)
    nodes = slurm.nodes(request.partition)
    gone = [host for host in wanted if host not in nodes]
    if gone:
        project.report.warn(f"not in the partition any more: {', '.join(gone[:8])}")
    asked = {nodes[host]: names for host, names in wanted.items() if host in nodes}
    if asked:
        submit_attempt(folder, request, slurm, asked, project.report)


def cancel(project: Project, folder: FleetFolder) -> int:
    """Cancel the jobs of a fleet that did not end; return their number. Raises ``FleetError``."""
    with folder.locked():  # a command that submits jobs would go on with it
        gatherer = Gatherer(project, folder)
        waiting = {row.job for row in gatherer.read().rows if row.state.waiting and row.job}
        numbers = sorted(waiting - gatherer.ended)  # some wait for a result file alone
        if numbers:
            require_slurm()
            Slurm().cancel(numbers)
        return len(numbers)

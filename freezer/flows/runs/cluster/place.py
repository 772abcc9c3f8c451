"""The cluster that ``--on`` names, and whether its nodes see the folders that a run needs."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from freezer.errors import FleetError, Where
from freezer.fleet.slurm import Slurm, require_slurm
from freezer.fleet.target import SlurmTarget, parse_target
from freezer.fleet.trainings.options import require_job_options
from freezer.flows.fleet.place import VARIABLE, fleets_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from freezer.fleet.trainings.options import JobOptions
    from freezer.flows.project.project import Project

_OF_ONE_HOST: Final = frozenset({"tmpfs", "ramfs", "devtmpfs", "overlay", "aufs", "squashfs"})
"""File systems that no other host can see under any path."""
_MOUNTS: Final = "/proc/self/mountinfo"


@dataclass(frozen=True)
class Cluster:
    """Where a run is submitted to."""

    target: SlurmTarget
    has_gpus: bool
    """Whether any of its nodes has GPUs that Slurm hands out."""
    elsewhere: bool
    """Whether any of its nodes is another host than this one."""


def cluster_of(on: str, options: JobOptions) -> Cluster:
    """Return the cluster that ``--on`` names. Raises ``FleetError``; nothing is submitted."""
    require_job_options(options)
    if not on.startswith("slurm:"):
        raise FleetError(
            f"--on does not take {on!r} for a run",
            expected="slurm:PARTITION[:CONSTRAINT]",
            hint="a Docker host runs trainings with DOCKER_HOST or a docker context",
        )
    target = parse_target(on)
    require_slurm()
    slurm = Slurm()
    nodes = target.select(slurm.nodes(target.partition))
    if len(nodes) < options.nodes:
        raise FleetError(
            f"--nodes {options.nodes}, and {on} has {len(nodes)}",
            hint="`sinfo` lists the nodes of each partition",
        )
    return Cluster(target, any(one.has_gpus for one in nodes), _elsewhere(slurm, target))


def _elsewhere(slurm: Slurm, target: SlurmTarget) -> bool:
    hosts = slurm.answer("sinfo", "-h", "-N", "-p", target.partition, "-o", "%n").split()
    here = socket.gethostname().partition(".")[0]
    return any(host.partition(".")[0] != here for host in hosts)


def spool_folder(project: Project) -> Path:
    """Return the folder that nodes read tasks from and write results to. Raises ``HostError``."""
    return fleets_folder(project) / "spool"


def is_apart() -> bool:
    """Return whether the folder that nodes see is another one than the project's."""
    return bool(os.environ.get(VARIABLE))


def require_shared(cluster: Cluster, paths: Mapping[str, Path]) -> None:
    """Refuse folders that only this host sees; ``paths`` by what they are.

    A folder that another host exports under the same path looks like any local one from here: where
    it is not, the job says so. Raises ``FleetError``.
    """
    if not cluster.elsewhere:
        return
    mounts = _mounts()
    for what, path in paths.items():
        kind = file_system(path, mounts)
        if kind in _OF_ONE_HOST:
            raise FleetError(
                f"{what} is on a file system of this host alone",
                where=Where(str(path)),
                found=kind,
                expected="a folder that the nodes see under the same path",
                hint=f"move it to the cluster's shared file system; {VARIABLE} names another "
                "folder for what Freezer itself writes",
            )


def file_system(path: Path, mounts: Iterable[tuple[str, str]]) -> str:
    """Return the type of the file system that holds a path. Pure but for links in the path."""
    real = os.path.realpath(path)
    best = ("", "")
    for point, kind in mounts:
        below = real == point or real.startswith(f"{point.rstrip('/')}/")
        if below and len(point) >= len(best[0]):
            best = (point, kind)
    return best[1]


def _mounts() -> list[tuple[str, str]]:
    try:
        return parse_mounts(Path(_MOUNTS).read_text(errors="surrogateescape"))
    except OSError:
        return []


def parse_mounts(text: str) -> list[tuple[str, str]]:
    """Return mount points and types of proc(5)'s mountinfo. Pure."""
    found = []
    for line in text.splitlines():
        left, mark, right = line.partition(" - ")
        fields, kind = left.split(" "), right.split(" ")[0]
        if mark and len(fields) > 4 and kind:
            found.append((_unescaped(fields[4]), kind))
    return found


def _unescaped(point: str) -> str:
    for code, text in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        point = point.replace(code, text)
    return point

"""What one command submits to Slurm: its folder, its runs, and the job or array."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from freezer.errors import FleetError
from freezer.fleet.slurm import Slurm

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from freezer.fleet.trainings.options import JobOptions
    from freezer.flows.project.project import Project
    from freezer.flows.runs.cluster.place import Cluster
    from freezer.flows.runs.prepare import PreparedRun
    from freezer.flows.runs.request import RunRequest

PROGRAM: Final = "host.pyz"


@dataclass(frozen=True)
class SweepPlan:
    """The sweep that some requests make."""

    id: str
    environment: str | None
    labels: Sequence[str]
    """What the lines of each run begin with."""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Runs that differ in parameters, seed and output alone, as one job or one array."""

    project: Project
    prepared: PreparedRun
    """As on each node: with a number of CPUs."""
    requests: Sequence[RunRequest]
    identifiers: Sequence[str]
    """Of the runs, in the order of the requests."""
    cluster: Cluster
    how: JobOptions
    sweep: SweepPlan | None
    folder: Path
    """In the spool folder; what the jobs share, and a folder for each of them."""

    @property
    def name(self) -> str:
        """The name of the job or array."""
        return f"freezer-{self.folder.name}"

    @cached_property
    def cluster_name(self) -> str:
        """The name of the cluster, by which the job's own lists are told from another's."""
        return Slurm(patient=False).cluster()

    @property
    def tasks(self) -> int | None:
        """The number of tasks of the array; None for a job of its own."""
        return None if self.sweep is None else len(self.requests)

    @property
    def cpus(self) -> int:
        """The CPUs of each rank."""
        return self.prepared.environment.spec.resources.cpus or 1

    @cached_property
    def gpus(self) -> int:
        """The GPUs of each node: of the options, the spec, or what the nodes have.

        Raises ``FleetError`` where there are none.
        """
        wanted, asked = self.how.gpus_per_node, self.requests[0].gpus
        if asked is False and wanted:
            raise FleetError("--no-gpus and --gpus-per-node contradict each other")
        resources = self.prepared.environment.spec.resources
        needed = asked if asked is not None else resources.gpus
        if needed is None:
            accelerated = self.prepared.locked.lock.accelerator is not None
            needed = bool(wanted) or (accelerated and self.cluster.has_gpus)
        if needed and not self.cluster.has_gpus:
            raise FleetError(
                f"no node of {self.cluster.target.text} has GPUs that Slurm hands out",
                expected="a partition whose nodes have them (`sinfo -o '%N %G'`), or --no-gpus",
            )
        return (wanted or 1) if needed else 0

    def require_network(self) -> None:
        """Refuse ranks that cannot reach each other. Raises ``FleetError``."""
        if self.how.ranks > 1 and not self.prepared.environment.spec.resources.network:
            raise FleetError(
                f"the {self.how.ranks} ranks of a run reach each other by network, "
                "and the spec allows none",
                expected="`resources: {network: true}` in freeze.yaml; it is no part of the lock",
            )

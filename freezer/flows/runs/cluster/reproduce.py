"""`freeze runs reproduce --on`: a run is made again as a job, with as many ranks as it had."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from freezer.flows.runs.cluster.follow import wait
from freezer.flows.runs.cluster.place import cluster_of, is_apart, spool_folder
from freezer.flows.runs.cluster.submit import submit_prepared
from freezer.flows.runs.repeat.prepare import prepare_again
from freezer.flows.runs.repeat.reproduce import recorded_original, reproduced, request_again

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freezer.fleet.trainings.options import JobOptions
    from freezer.flows.project.project import Project
    from freezer.flows.runs.repeat.reproduce import Reproduced
    from freezer.flows.runs.run import Show
    from freezer.model.record.run import Run


def reproduce_on(
    project: Project, name: str, on: str, how: JobOptions, show: Show, given: Mapping[str, str]
) -> Reproduced:
    """Repeat a run as a job, wait for it, and compare the results; raises as `reproduce` does."""
    original = recorded_original(project, name)
    how = _as_it_was(original.run, how)
    cluster = cluster_of(on, how)
    request = replace(request_again(project, original, given), gpu_positions=())
    identifier = secrets.token_hex(8)
    output = spool_folder(project) / identifier / "1" / "output" if is_apart() else None
    with prepare_again(
        project, original.run, original.patch, identifier, output=output
    ) as prepared:
        submitted = submit_prepared(project, prepared, [request], [identifier], cluster, how)
    [done] = wait(project, submitted, [show])
    return reproduced(original, done)


def _as_it_was(original: Run, how: JobOptions) -> JobOptions:
    """Return options with the nodes, ranks and GPUs that the run had."""
    fields = original.fields
    gpus = _count(fields.get("slurm.gpus-per-node"))
    return replace(
        how,
        nodes=_count(fields.get("slurm.nodes")) or 1,
        ntasks_per_node=_count(fields.get("slurm.ntasks-per-node")) or 1,
        gpus_per_node=gpus or _count(fields.get("resources.gpu-count")),
        mixed_classes=fields.get("ranks.mixed-classes") is True,
    )


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and 0 < value <= 1 << 20 else None

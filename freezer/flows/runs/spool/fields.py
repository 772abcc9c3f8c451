"""The recorded fields of a run's job, and of the hosts of its ranks. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from freezer.errors import CheckError
from freezer.flows.runs.facts import host_fields, usage_fields
from freezer.model.record.protocol import parse_lines

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freezer.fleet.trainings.result import Rank, TrainingResult
    from freezer.model.record.run import Run, Value

_MOST_NAMES: Final = 200
"""Characters of a list of hosts in one field."""


def slurm_fields(start: Run, job: str, restarts: int, why: str) -> dict[str, Value]:
    """Return the fields of a run's job; ``why`` says why it is not finished."""
    fields: dict[str, Value] = {"slurm.job": job, "slurm.submitted": start.started}
    if restarts:
        fields["slurm.restarts"] = restarts
    if why:
        fields["slurm.reason"] = why[:2000]
    return fields


def rank_fields(result: TrainingResult) -> dict[str, Value]:
    """Return hosts, numerics classes, runtime and usage of all ranks."""
    every = result.ranks
    if not every:
        return {}
    facts = [host_facts(one.host.encode()) for one in every]
    classes = sorted({str(one["class"]) for one in facts if one.get("class")})
    fields: dict[str, Value] = {**host_fields(facts[0])}
    fields["host.name"] = ", ".join(dict.fromkeys(one.node for one in every))[:_MOST_NAMES]
    runtimes = dict.fromkeys(one.runtime for one in every if one.runtime)
    if runtimes:
        fields["engine"] = ", ".join(runtimes)
    if len(classes) > 1:
        fields["host.class"] = " + ".join(classes)
        fields["ranks.mixed-classes"] = True
    if len(every) > 1:
        fields["ranks"] = len(every)
        for one, known in zip(every, facts, strict=True):
            fields[f"ranks.{one.rank}.host"] = one.node
            fields[f"ranks.{one.rank}.class"] = str(known.get("class", "not reported"))
            if one.exit:
                fields[f"ranks.{one.rank}.exit"] = one.exit
            elif one.outcome != "ran":
                fields[f"ranks.{one.rank}.outcome"] = one.outcome
    if any(one.out_of_memory for one in every):
        fields["out-of-memory"] = True
    lost = sum(one.output.lost for one in every if one.output is not None)
    if lost:
        fields["output-lost"] = lost
    return {**fields, **_usage(every)}


def _usage(every: Sequence[Rank]) -> dict[str, Value]:
    """Return the CPU time of all ranks, and the peak memory of the largest one."""
    found = [known for one in every if (known := usage_fields(one.usage))]
    if not found:
        return {}
    cpu = math.fsum(float(str(one["cpu-seconds"])) for one in found)
    peak = max(int(str(one["peak-memory"])) for one in found)
    return {"cpu-seconds": cpu, "peak-memory": peak}


def host_facts(data: bytes) -> Mapping[str, Any]:
    """Return the facts of a host, as the image reported them in lines; empty without any."""
    lines = [line for line in data.splitlines() if line.strip()]
    try:
        host = parse_lines(lines)[0]
    except CheckError:
        return {}
    return {} if host is None else host.model_dump(mode="json", by_alias=True)

"""GPUs by Slurm's generic resources: asked for, given to the job, and named to the runtime."""

from __future__ import annotations

import pytest

from freezer.engine.connect.connect import connect
from freezer.fetch.config import load_config
from freezer.fetch.store.store import Store
from freezer.fleet.folder import FleetFolder
from freezer.fleet.program import host_program
from freezer.fleet.slurm import Slurm as Programs
from freezer.flows.fleet.follow import read_fleet
from freezer.flows.fleet.images import fleet_environment
from freezer.flows.fleet.submit import submit_attempt
from freezer.flows.project.environment import load_locked
from freezer.flows.project.project import Project as FlowProject
from freezer.model.events import SilentReporter
from tests.support.cluster.fleets import request
from tests.support.cluster.slurm import WITH_GPUS, Slurm, until
from tests.support.host.commands import Project

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive]


def test_a_job_gets_the_gpu_that_another_left(cluster: Slurm, project: Project) -> None:
    """The devices are none of NVIDIA's, so the engine says that it has no driver for them."""
    said = cluster.folder / "words"
    cluster.different_host(WITH_GPUS, before=f'echo "$@" > {said}')
    other = cluster.run(
        "sbatch", "--parsable", "-w", WITH_GPUS, "--gres=gpu:1", "-o", "/dev/null", "--wrap",
        "sleep 60",
    ).strip()  # fmt: skip
    until(lambda: cluster.run("squeue", "-h", "-j", other, "-o", "%T").strip() == "RUNNING")
    opened = FlowProject(
        project.folder, load_config(), Store(project.store), connect, SilentReporter()
    )
    root = project.folder / ".freezer" / "fleets"
    root.mkdir(parents=True)
    locked = load_locked(project.folder, project.name)
    one = fleet_environment(opened, locked, root, pull=False).model_copy(update={"gpus": True})
    asked = request(WITH_GPUS, environments=(one,))
    folder = FleetFolder(root / asked.id)
    folder.create(asked, host_program())
    nodes = Programs().nodes("all")
    assert {name for name, node in nodes.items() if node.has_gpus} == {WITH_GPUS}
    submit_attempt(folder, asked, Programs(), {nodes[WITH_GPUS]: (one.name,)}, SilentReporter())
    [entry] = folder.attempts()[0].hosts.values()
    shown = cluster.run("scontrol", "show", "job", str(entry.job))
    assert "gres:gpu:1" in shown
    until(lambda: read_fleet(opened, folder).waiting == 0)
    cluster.run("scancel", other)
    assert "--gpus" in said.read_text()
    assert '"device=1"' in said.read_text()
    [row] = read_fleet(opened, folder).rows
    assert row.state.title == "not checked (no runtime)"
    assert "device driver" in row.state.reason

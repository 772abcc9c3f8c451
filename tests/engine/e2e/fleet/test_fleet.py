"""``freeze check --on slurm:…`` on four nodes: one verdict or reason for each, and `resume`."""

import pytest

from tests.support.cluster.slurm import Slurm, states, until
from tests.support.host.commands import Project

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive]


def test_four_nodes_four_verdicts_and_resume_asks_two(
    cluster: Slurm, project: Project, drifting: str
) -> None:
    cluster.different_host("n2", options=drifting)
    cluster.different_host("n3", before="sleep 100")
    cluster.kill_node("n4")
    cluster.run("scontrol", "update", "nodename=n4", "state=down", "reason=new power supply")

    fleet = project.freeze("check", "--on", "slurm:all", "--no-wait").good().out.strip()
    until(lambda: "n3" in cluster.run("squeue", "-h", "-t", "running", "-o", "%N").split())
    cluster.kill_node("n3")
    found = project.freeze("fleet", "status", fleet, "--wait", "--json").good().document
    assert states(found) == {
        "n1": ("identical", None),
        "n2": ("drifted", None),
        "n3": ("not checked", "lost"),
        "n4": ("not checked", "down"),
    }
    reasons = {one["host"]: one["reason"] for one in found["hosts"]}
    assert "differs first in" in reasons["n2"]
    assert "NODE_FAIL" in reasons["n3"]
    assert "new power supply" in reasons["n4"]
    assert found["good"] is False
    project.freeze("fleet", "report", fleet).failed(1, "1 of 4 verdicts good", "n3", "n4")
    until(lambda: "NODE_FAIL|0:0" in cluster.run("sacct", "-XnP", "-o", "State,ExitCode"))

    cluster.plain_hosts("n3")
    for node in ("n3", "n4"):
        cluster.start_node(node)
    until(lambda: {cluster.states()[node] for node in ("n3", "n4")} == {"idle"})
    again = project.freeze("fleet", "resume", fleet, "--wait", "--json").failed(1).document
    assert {host: state for host, (state, _) in states(again).items()} == {
        "n1": "identical",
        "n2": "drifted",
        "n3": "identical",
        "n4": "identical",
    }
    attempts = {one["host"]: one["attempt"] for one in again["hosts"]}
    assert attempts == {"n1": 1, "n2": 1, "n3": 2, "n4": 2}

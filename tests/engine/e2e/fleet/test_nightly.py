"""The jobs of ``freeze ci`` for a cluster: their steps as they are written, on four nodes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from tests.support.cluster.slurm import Slurm
from tests.support.host.commands import Project

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive]


def bash(project: Project, script: str) -> tuple[int, str]:
    """Run a script as both systems do, which end at the first failure."""
    own = str(Path(sys.executable).parent)
    values = {"PATH": f"{own}:{os.environ['PATH']}", "FREEZER_STORE": str(project.store)}
    values["GITHUB_STEP_SUMMARY"] = str(project.folder / "summary.md")
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        env={**os.environ, **values}, cwd=project.folder, text=True, timeout=200, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return done.returncode, done.stdout


def test_a_night_on_the_cluster_fails_for_a_node_that_drifts(
    cluster: Slurm, project: Project, drifting: str
) -> None:
    workflow = project.folder / "ci.yml"
    project.freeze("ci", "github", "--cluster", "slurm:all", "-o", str(workflow)).good()
    project.freeze("ci", "github", "--check", "-o", str(workflow)).good()
    steps: list[dict[str, Any]] = yaml.safe_load(workflow.read_text())["jobs"]["cluster"]["steps"]
    scripts = [one["run"] for one in steps if "run" in one and one["name"] != "Install Freezer"]
    build, submit, wait, report, cancel, summary = scripts
    cluster.different_host("n2", options=drifting)
    for script in (build, submit, wait):
        code, out = bash(project, script)
        assert code == 0, out
    code, out = bash(project, report)
    assert code == 1
    assert "3 of 4 verdicts good" in out
    made = project.folder / "freezer-report"
    tests = ET.parse(made / "cluster.xml").getroot()
    assert [one.get("name") for one in tests.iter("testcase") if len(one)] == ["n2"]
    metrics = (made / "cluster.prom").read_text().splitlines()
    drifted = [line for line in metrics if 'state="drifted"' in line]
    assert [line.partition("{")[0] for line in drifted] == [
        "freezer_host_good", "freezer_host_checked", "freezer_host_seconds",
    ]  # fmt: skip
    assert bash(project, summary)[0] == 0
    assert "drifted" in (project.folder / "summary.md").read_text()
    assert "0 jobs cancelled" in bash(project, cancel)[1]

    cluster.plain_hosts()
    project.freeze("ci", "gitlab", "--cluster", "slurm:all", "-o", str(workflow)).good()
    job = yaml.safe_load(workflow.read_text())["freezer:cluster"]
    code, out = bash(project, "\n".join(job["script"]))
    assert code == 0, out
    assert "4 of 4 verdicts good" in out

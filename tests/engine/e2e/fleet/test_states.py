"""What else happens on a cluster: other classes, secrets, a restarted controller, jobs that end early."""

import base64
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from freezer.fleet.slurm import JobRequest
from freezer.fleet.slurm import Slurm as Programs
from tests.support.cluster.slurm import NODES, Slurm, states, until
from tests.support.host.commands import Project

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive]

SECRET = "planted-7d1e0c5a"


def holding(folder: Path, text: str) -> Iterator[Path]:
    """Yield the files below a folder that hold a text."""
    for path in folder.rglob("*"):
        if path.is_file() and "database" not in path.parts and text.encode() in path.read_bytes():
            yield path


def test_another_class_is_recorded_by_two_hosts_and_nothing_secret_travels(
    cluster: Slurm, project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A kernel family of OpenBLAS stands for another CPU. The controller is restarted in mid-run."""
    for node in ("n2", "n4"):
        cluster.different_host(node, options="--env OPENBLAS_CORETYPE=Nehalem", before="sleep 2")
    monkeypatch.setenv("WANDB_API_KEY", SECRET)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    login = base64.b64encode(f"me:{SECRET}".encode()).decode()
    (tmp_path / "config.json").write_text(json.dumps({"auths": {"r.example": {"auth": login}}}))
    ledger = project.folder / ".freezer" / "ledger.db"
    ledger.parent.mkdir(exist_ok=True)
    ledger.write_text(SECRET)
    fleet = project.freeze("check", "--on", "slurm:all", "--no-wait").good().out.strip()
    cluster.restart_controller()
    found = project.freeze("fleet", "status", fleet, "--wait", "--json").good().document
    assert states(found) == {
        "n1": ("identical", None),
        "n2": ("not comparable", None),
        "n3": ("identical", None),
        "n4": ("not comparable", None),
    }
    assert {one["attempt"] for one in found["hosts"]} == {1}
    for text in (SECRET, login):
        assert list(holding(cluster.folder, text)) == []
        assert list(holding(project.folder / ".freezer" / "fleets", text)) == []
    assert ledger in list(holding(project.folder, SECRET))

    assert len(project.references) == 1
    again = project.freeze("fleet", "report", fleet, "--record", "--json").good().document
    assert {state for state, _ in states(again).values()} == {"identical"}
    assert len(project.references) == 2
    assert "nehalem" in project.references[0].name + project.references[1].name
    project.freeze("log", "--verify").good()
    page = tmp_path / "fleet.html"
    project.freeze("fleet", "report", fleet, "--html", str(page)).good()
    assert "nehalem" in page.read_text()


def test_jobs_that_end_early_are_told_apart_and_resumed(
    cluster: Slurm, project: Project, tmp_path: Path
) -> None:
    running = ("n1", "n2", "n3")
    for node in running:
        cluster.different_host(node, before=f"touch '{tmp_path}/{node}'\nsleep 100")
    blocking = cluster.run(
        "sbatch", "--parsable", "-w", "n4", "--exclusive", "-o", "/dev/null", "--wrap", "sleep 100"
    ).strip()
    until(lambda: cluster.states()["n4"] == "alloc")
    fleet = project.freeze("check", "--on", "slurm:all", "--no-wait").good().out.strip()
    other = project.freeze("check", "--on", "slurm:all", "--host", "n4", "--no-wait").good().out
    # Slurm calls a job running before its script runs; a signal for the script may miss it then.
    until(lambda: all((tmp_path / node).exists() for node in running))
    first = project.freeze("fleet", "status", fleet, "--json").good().document
    jobs = {one["host"]: one["job"] for one in first["hosts"]}
    project.freeze("fleet", "resume", fleet, "--no-wait").good()  # nothing ended: nothing is asked
    cluster.run(
        "sbatch", "-p", "urgent", "-w", "n1", "--exclusive", "-o", "/dev/null", "--wrap", "true"
    )
    cluster.run("scontrol", "update", f"jobid={jobs['n4']}", "deadline=now+2seconds")
    cluster.run("scancel", "--signal=KILL", "--batch", jobs["n2"])

    def state(node: str) -> str:
        return cluster.run("squeue", "-h", "-t", "all", "-j", jobs[node], "-o", "%T").strip()

    ended = {"n1": "PREEMPTED", "n2": "FAILED", "n4": "DEADLINE"}
    until(lambda: {node: state(node) for node in ended} == ended)
    assert "1 job cancelled" in project.freeze("fleet", "cancel", fleet).good().out
    found = project.freeze("fleet", "status", fleet, "--wait", "--json").good().document
    assert states(found) == {
        "n1": ("not checked", "lost"),
        "n2": ("not checked", "lost"),
        "n3": ("not checked", "cancelled"),
        "n4": ("not checked", "deadline"),
    }
    reasons = {one["host"]: one["reason"] for one in found["hosts"]}
    assert "PREEMPTED" in reasons["n1"]
    assert "FAILED" in reasons["n2"]
    assert found["attempts"] == 1
    project.freeze("fleet", "report", fleet).failed(1, "0 of 4 verdicts good")

    cluster.plain_hosts()
    cluster.run("scancel", blocking)
    done = project.freeze("fleet", "resume", fleet, "--wait").good()
    assert "4 of 4 verdicts good" in done.out
    # Two fleets at once: the other one's job waited for the same node, and ran once.
    assert "1 of 1 verdict" in project.freeze("fleet", "report", other.strip()).good().out
    before = cluster.run("squeue", "-h", "-t", "all", "-o", "%i")
    project.freeze("fleet", "resume", fleet, "--wait").good()
    assert cluster.run("squeue", "-h", "-t", "all", "-o", "%i") == before


def test_two_hundred_jobs_are_submitted_in_ten_seconds(cluster: Slurm, tmp_path: Path) -> None:
    programs = Programs(("--hold",))
    requests = [
        JobRequest(
            name=f"freezer-many-{number}", node=NODES[number % 4], script="#!/bin/sh\nexit 0\n",
            log=tmp_path / "log", cpus=1, memory="1g", gpus=0, seconds=600, deadline=3600,
        )
        for number in range(200)
    ]  # fmt: skip
    started = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda one: programs.submit("all", one), requests))
    assert time.monotonic() - started < 10
    assert len(set(numbers)) == 200
    names = {one.name for one in requests}
    assert set(programs.jobs(names, int(time.time()), {})) == names
    programs.cancel(numbers)

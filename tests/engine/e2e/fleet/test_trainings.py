"""``freeze run --on slurm:…``: users' trainings as jobs, recorded once, whatever becomes of them."""

from __future__ import annotations

import base64
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from freezer.errors import FleetError
from freezer.fleet import slurm as programs
from freezer.flows.runs.cluster.job import NO_ARRAY
from tests.support.cluster.slurm import Slurm, until
from tests.support.host.commands import Outcome, Project, outcome

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive]
UNNEEDED, NEEDED = "planted-51c0e7ab", "planted-needed-9f2d"
TRAIN = """
import os, sys, time, numpy
from pathlib import Path
from freezer_inside.record import Recorder

data = numpy.loadtxt(Path(os.environ["FREEZER_DATA"]) / "points" / "x.csv")
weight = numpy.random.default_rng(int(os.environ["FREEZER_SEED"])).normal()
recorder = Recorder("line")
for step in range(5):
    recorder.loss(step, float(((data - weight) ** 2).mean()))
    weight += float(os.environ["FREEZER_PARAM_LR"]) * 2 * (data - weight).mean()
rank = os.environ.get("RANK", "0")
numpy.save(Path(os.environ["FREEZER_OUTPUT"]) / f"weight{rank}.npy", numpy.array(weight))
print("rank", rank, "of", os.environ.get("WORLD_SIZE", "1"), *sys.argv[1:], flush=True)
for folder in ("/code/new", "/data/points/new"):
    try:
        open(folder, "w")
        print("wrote", folder)
    except OSError:
        pass
recorder.end()
time.sleep(float(os.environ.get("FREEZER_PARAM_SLEEP", 0)))
sys.exit(int(os.environ.get("FREEZER_PARAM_EXIT", 0)))
"""
COMMAND = ("-p", "lr=0.1", "--", "python", "train.py")


@pytest.fixture
def training(project: Project) -> Project:
    """Return the project with a training in git, and data."""
    (project.folder / "train.py").write_text(TRAIN)
    (project.folder / "points").mkdir()
    (project.folder / "points" / "x.csv").write_text("1\n2\n4\n")
    (project.folder / ".gitignore").write_text("points\n.freezer\n.env\n")
    project.spec(data={"points": "points"}, resources={"cpus": 1, "memory": "1g", "network": True})
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "first")):
        git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *words]
        subprocess.run(git, cwd=project.folder, check=True, capture_output=True)
    return project


def submitted(project: Project, *options: str) -> str:
    return project.freeze("run", "--on", "slurm:all", "--detach", *options).good().out.strip()


def passing_on(project: Project, *arguments: str) -> Outcome:
    """Run a command that passes on a training's output, in a process of its own."""
    return outcome(project.start(*arguments))


def runs(project: Project, query: str = "seed >= 0") -> list[dict[str, Any]]:
    return list(project.freeze("runs", "list", query, "--json").good().document["runs"])


def result_of(project: Project, run: str) -> Path:
    return project.folder / ".freezer" / "fleets" / "spool" / run / "1" / "result.json"


def weight_of(project: Project, run: str) -> Path:
    return project.folder / ".freezer" / "runs" / run / "output" / "weight0.npy"


def holding(folder: Path, text: str) -> Iterator[Path]:
    """Yield the files below a folder that hold a text."""
    for path in folder.rglob("*"):
        if path.is_file() and "database" not in path.parts and text.encode() in path.read_bytes():
            yield path


def test_a_run_is_recorded_once_as_on_this_host_and_nothing_secret_travels(
    cluster: Slurm, training: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", UNNEEDED)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    login = base64.b64encode(f"me:{UNNEEDED}".encode()).decode()
    (tmp_path / "config.json").write_text(json.dumps({"auths": {"r.example": {"auth": login}}}))
    (training.folder / ".env").write_text(UNNEEDED)
    (training.folder / "train.py").write_text(TRAIN + "# not committed\n")
    passing_on(training, "run", *COMMAND).good()

    done = passing_on(
        training, "run", "--on", "slurm:all:new", "-p", "exit=3", "-p", f"token={NEEDED}", *COMMAND,
        "{token}",
    )  # fmt: skip
    assert done.code == 3, done.err
    assert "rank 0 of 1 ***" in done.out
    assert "wrote" not in done.out
    here, there = sorted(runs(training), key=lambda one: one["started"])
    assert (there["state"], there["exit-code"]) == ("failed", 3)
    fields = there["fields"]
    assert fields["host.name"] in ("n1", "n3")
    for name in ("metrics.loss", "data.points", "git.patch", "lock", "image", "host.class"):
        assert fields[name] == here["fields"][name], name
    assert there["outputs"][0]["sha256"] == here["outputs"][0]["sha256"]
    assert len(runs(training)) == 2
    for folder in (cluster.folder, training.folder / ".freezer" / "fleets"):
        assert list(holding(folder, UNNEEDED)) == []
        assert list(holding(folder, login)) == []
    spool = training.folder / ".freezer"
    assert list(holding(spool, NEEDED)) == []
    assert not list((training.folder / ".freezer" / "fleets").rglob("ledger.db"))
    diff = training.freeze("runs", "diff", here["id"], there["id"])
    assert "engine" not in diff.out

    again = passing_on(training, "runs", "reproduce", there["id"], "-p", f"token={NEEDED}")
    assert "identical" in again.good().out


def test_a_sweep_is_one_array_and_two_ranks_are_one_record(
    cluster: Slurm, training: Project
) -> None:
    cluster.different_host("n2", options="--env OPENBLAS_CORETYPE=Nehalem")
    two = ("--nodes", "2", "--sbatch=--nodelist=n1,n2")
    mixed = submitted(training, *two, *COMMAND)
    allowed = submitted(training, *two, "--mixed-classes", *COMMAND)
    sweep = submitted(training, "--each", "seed=1..3", "--jobs", "2", *COMMAND)
    jobs = cluster.run("squeue", "-h", "-r", "-t", "all", "-n", f"freezer-{sweep}", "-o", "%F %K")
    assert len({line.split()[0] for line in jobs.splitlines()}) == 1
    found = training.freeze("runs", "collect", "--wait", sweep, "--json").good().document["runs"]
    assert [(one["fields"]["seed"], one["state"]) for one in found] == [
        (1, "finished"), (2, "finished"), (3, "finished")
    ]  # fmt: skip
    assert {one["links"]["sweep"] for one in found} == {sweep}
    shown = training.freeze("runs", "show", sweep, "--json").good().document
    assert (shown["state"], shown["total"]) == ("finished", 3)
    summary = training.freeze("runs", "summary", f"links.sweep = '{sweep}'", "--json")
    assert summary.good().document["groups"][0]["seeds"] == [1, 2, 3]

    refused = training.freeze("runs", "collect", "--wait", mixed, "--json").failed(1)
    [one] = refused.document["runs"]
    assert (one["state"], one["outputs"]) == ("failed", [])
    assert "nehalem" in one["fields"]["slurm.reason"]
    [one] = training.freeze("runs", "collect", "--wait", allowed, "--json").good().document["runs"]
    fields = one["fields"]
    assert (fields["ranks"], fields["ranks.0.host"], fields["ranks.1.host"]) == (2, "n1", "n2")
    assert fields["ranks.mixed-classes"] is True
    assert fields["ranks.1.class"].endswith("nehalem")
    assert [left["path"] for left in one["outputs"]] == ["weight0.npy", "weight1.npy"]
    printed = passing_on(training, "runs", "logs", allowed).good().out
    assert "[rank 0] rank 0 of 2" in printed
    assert "[rank 1] rank 1 of 2" in printed
    assert "n1, n2" in training.freeze("runs", "show", allowed).good().out
    training.freeze("runs", "reproduce", allowed).failed(2, "2 ranks", "--on")


def test_a_killed_node_a_requeued_job_and_an_edited_result(
    cluster: Slurm, training: Project
) -> None:
    at = ("--sbatch=--nodelist=n3", "-p", "sleep=100", *COMMAND)
    lost = submitted(training, *at)
    again = submitted(training, "--requeue", "--sbatch=--nodelist=n3", "-p", "sleep=3", *COMMAND)
    edited = submitted(training, "--sbatch=--nodelist=n4", *COMMAND)
    stopped = submitted(training, "--sbatch=--nodelist=n4", "-p", "sleep=100", *COMMAND)
    until(lambda: all(weight_of(training, one).exists() for one in (lost, again, stopped)))
    cluster.kill_node("n3")
    until(lambda: result_of(training, edited).exists())
    data = result_of(training, edited).read_bytes()
    result_of(training, edited).write_bytes(data.replace(b'"exit":0', b'"exit":1'))
    # Every command about runs collects: not before the result is edited.
    training.freeze("runs", "stop", stopped).good()
    [number] = cluster.run("squeue", "-h", "-n", f"freezer-{again}", "-o", "%i").split()
    until(lambda: cluster.run("squeue", "-h", "-j", number, "-o", "%T").strip() == "PENDING")
    # Slurm waits two minutes, and a node that has just come back loses the job's script.
    cluster.run("scontrol", "update", f"jobid={number}", "starttime=now", "reqnodelist=n4")
    waited = training.freeze("runs", "collect", "--wait", again)
    assert waited.code == 0, (waited, result_of(training, again).with_name("job.log").read_text())
    found = {one["id"]: one for one in runs(training)}
    assert {run: one["state"] for run, one in found.items()} == {
        lost: "interrupted",
        again: "finished",
        edited: "interrupted",
        stopped: "interrupted",
    }
    reasons = {run: one["fields"].get("slurm.reason", "") for run, one in found.items()}
    assert "NODE_FAIL" in reasons[lost]
    assert "cut off or edited" in reasons[edited]
    assert "CANCELLED" in reasons[stopped]
    assert found[again]["fields"]["slurm.restarts"] == 1
    assert (found[lost]["fields"]["host.name"], found[again]["fields"]["host.name"]) == ("n3", "n4")
    assert found[lost]["fields"]["metrics.loss"] == found[again]["fields"]["metrics.loss"]
    assert [left["path"] for left in found[lost]["outputs"]] == ["weight0.npy"]
    cluster.start_node("n3")
    until(lambda: set(cluster.states().values()) == {"idle"})


def test_a_controller_that_is_down_takes_nothing_and_nothing_is_left(
    cluster: Slurm, training: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "_PAUSES", ())
    before = set(cluster.run("squeue", "-h", "-t", "all", "-o", "%i").split())
    cluster.stop_controller()
    started = time.monotonic()
    training.freeze("run", "--on", "slurm:all", *COMMAND).failed(2, "Unable to contact slurm")
    assert time.monotonic() - started < 60
    cluster.start_controller()
    assert runs(training, "") == []
    assert not (training.folder / ".freezer" / "runs").exists()
    assert set(cluster.run("squeue", "-h", "-t", "all", "-o", "%i").split()) <= before


def test_what_slurm_itself_answers(cluster: Slurm) -> None:
    ours = programs.Slurm()
    assert ours.cluster() == "freezer"
    words = ["sbatch", "--parsable", "--partition=all", "--output=/dev/null"]
    with pytest.raises(FleetError) as caught:
        ours.submit_words([*words, "--array=1-1001"], "#!/bin/sh\ntrue\n", {})
    assert NO_ARRAY in (caught.value.found or "")
    name = "freezer-0123456789abcdef"
    script = "#!/bin/sh\nsleep 300\n"
    number = ours.submit_words([*words, f"--job-name={name}"], script, {}).strip()
    other = ours.submit_words([*words, f"--job-name={name}0"], script, {}).strip()
    ours.cancel_named(name)
    listed = ours.answer("squeue", "-h", "--me", "-t", "all", "-o", "%i|%T").split()
    ours.cancel([other])
    assert f"{number}|CANCELLED" in listed or f"{number}|COMPLETING" in listed
    assert not any(one.startswith(f"{other}|CANC") for one in listed)

"""What breaks under a fleet: the shared folder, disks, accounting, nodes, result files.

None of it becomes a pass, and nothing runs twice that nobody asked for.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from freezer.inside.freezer_host.result import sealed
from tests.support.cluster.slurm import NODES, Slurm, states, until
from tests.support.host.commands import Project, outcome
from tests.support.host.daemons import own_daemon

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive]


@contextmanager
def disk(place: Path, size: str) -> Iterator[Path]:
    """Mount a file system of a size in memory."""
    place.mkdir(parents=True)
    mount("-t", "tmpfs", "-o", f"size={size},mode=755", "freezer-test", str(place))
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=False)


def mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, capture_output=True)


def fill(folder: Path) -> Path:
    """Write a file that takes all the room that is left."""
    path = folder / "filler"
    with path.open("wb", buffering=0) as stream:
        for block in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    stream.write(b"x" * block)
            except OSError:
                pass
    assert shutil.disk_usage(folder).free == 0
    return path


class Counted:
    """Counts the trainings that hosts start."""

    def __init__(self, cluster: Slurm) -> None:
        self._cluster, self._folder = cluster, cluster.folder / "counts"
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir()
        self.before()

    def before(self, seconds: int = 0, *nodes: str) -> None:
        """Have nodes wait before each training."""
        for node in nodes or NODES:
            count = f"echo run >> {self._folder}/{node}"
            self._cluster.different_host(node, before=f"{count}; sleep {seconds}")

    @property
    def runs(self) -> dict[str, int]:
        return {
            one.name: len(one.read_text().splitlines()) for one in sorted(self._folder.iterdir())
        }


def running(cluster: Slurm) -> set[str]:
    return set(cluster.run("squeue", "-h", "-t", "running", "-o", "%N").split())


def test_the_shared_folder_is_full_then_gone_and_accounting_is_late(
    cluster: Slurm, project: Project, shared: Path
) -> None:
    """It is gone as an unmounted one is: an empty folder in its place.

    The controller forgets jobs before accounting has them.
    """
    counted = Counted(cluster)
    counted.before(3)
    base = Path(tempfile.mkdtemp(prefix="fleets-", dir=shared))
    (base / "away").mkdir()
    one = ("check", "--on", "slurm:all", "--host", "n1", "--no-wait")
    with disk(base / "fleets", "1g") as fleets, cluster.forgetting():
        there = {"FREEZER_FLEETS": str(fleets)}
        cluster.stop_accounting()
        try:
            late = project.freeze(*one).good().out.strip()
            fleet = project.freeze("check", "--on", "slurm:all", "--no-wait", **there).good().out
            until(lambda: running(cluster) == set(NODES))
            filler = fill(fleets)
            waiting = project.start("fleet", "status", "--wait", "--json", **there)
            results = fleets / fleet.strip() / "results" / "1"
            # All trainings ended, and no result could be written.
            until(lambda: {one.name for one in results.iterdir()} == set(NODES))
            assert "waiting" in project.freeze("fleet", "status", **there).good().out
            filler.unlink()
            mount("--bind", str(base / "away"), str(fleets))  # covers it
            try:
                project.freeze("fleet", "status", fleet.strip(), **there).failed(2, "no such fleet")
                time.sleep(6)  # longer than between two looks, and two attempts to write
                assert waiting.poll() is None
            finally:
                subprocess.run(["umount", str(fleets)], check=True)

            until(lambda: not cluster.run("squeue", "-h", "-t", "all"))
            found = project.freeze("fleet", "status", late, "--json").good().document
            assert states(found) == {"n1": ("not checked", "waiting")}
            assert "accounting does not answer" in found["hosts"][0]["reason"]
            project.freeze("fleet", "resume", late, "--no-wait").good()
            assert not cluster.run("squeue", "-h", "-t", "all")
        finally:
            cluster.start_accounting()
        found = project.freeze("fleet", "status", late, "--wait", "--json").good().document
        assert states(found) == {"n1": ("identical", None)}
        found = outcome(waiting).good().document
        assert states(found) == dict.fromkeys(NODES, ("identical", None))
        project.freeze("fleet", "resume", "--wait", **there).good()
        assert counted.runs == {**dict.fromkeys(NODES, 1), "n1": 2}


def test_a_full_disk_a_requeued_job_and_damaged_results(
    cluster: Slurm, project: Project, shared: Path
) -> None:
    counted = Counted(cluster)
    counted.before(100, "n2")
    engine = Path(tempfile.mkdtemp(prefix="engine-", dir=shared))
    with disk(engine / "disk", "64m") as small, own_daemon(small) as daemon:
        cluster.set_variables("n1", DOCKER_HOST=daemon.address)
        command = ("check", "--on", "slurm:all", "--sbatch=--requeue", "--no-wait")
        fleet = project.freeze(*command).good().out.strip()
        job = project.freeze("fleet", "status", fleet, "--json").good().document["hosts"][1]["job"]
        until(lambda: counted.runs.get("n2") == 1)
        cluster.kill_node("n2")
        cluster.run("scontrol", "update", "nodename=n2", "state=down", "reason=power")
        results = project.folder / ".freezer" / "fleets" / fleet / "results" / "1"
        paths = {node: results / node / f"{project.name}.json" for node in NODES}
        until(lambda: all(paths[node].exists() for node in ("n1", "n3", "n4")))
        cut, edited = paths["n3"], paths["n4"]
        cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
        edited.write_bytes(edited.read_bytes().replace(b'"n4"', b'"n3"'))
        found = project.freeze("fleet", "status", fleet, "--json").good().document
        assert states(found) == {
            "n1": ("not checked", "no image"),
            "n2": ("not checked", "waiting"),  # requeued
            "n3": ("not checked", "lost"),
            "n4": ("not checked", "lost"),
        }
        reasons = {one["host"]: one["reason"] for one in found["hosts"]}
        assert "no space left on device" in reasons["n1"]
        assert "cut off or edited" in reasons["n3"]
        project.freeze("fleet", "report", fleet).failed(1, "0 of 4 verdicts good")
        # Someone who knows the format, with the result of another host.
        stolen = json.loads(edited.read_bytes())
        del stolen["integrity"]
        edited.write_bytes(sealed(stolen))
        again = project.freeze("fleet", "status", fleet, "--json").good().document
        assert "of another host" in again["hosts"][3]["reason"]

        counted.before(0, "n2", "n3", "n4")
        cluster.start_node("n2")
        mount("-o", "remount,size=2g", str(small))
        project.freeze("fleet", "resume", fleet, "--no-wait").good()
        until(lambda: set(paths) - {"n2"} <= {one.name for one in results.with_name("2").iterdir()})
        requeue(cluster, job, "n2")  # which is not ended by what its node was still to be told
        done = project.freeze("fleet", "status", fleet, "--wait", "--json").good().document
    attempts = {one["host"]: one["attempt"] for one in done["hosts"]}
    assert attempts == {"n1": 2, "n2": 1, "n3": 2, "n4": 2}
    assert json.loads(paths["n2"].read_bytes())["restarts"] == 1
    runs = {"n2": 2, "n3": 2, "n4": 2}
    assert counted.runs == runs
    # An administrator requeues a job that is done: it runs nothing again.
    cluster.run("scontrol", "requeue", job)
    requeue(cluster, job, "n2")
    found = project.freeze("fleet", "status", fleet, "--wait", "--json").good().document
    assert set(states(found).values()) == {("identical", None)}
    assert counted.runs == runs


def requeue(cluster: Slurm, job: str, node: str) -> None:
    """Have a requeued job start now, and not after the time in which its node is expected back."""
    until(lambda: cluster.states()[node] == "idle")
    cluster.run("scontrol", "update", f"jobid={job}", "starttime=now")

"""Measure what a check of a cluster costs, on four Slurm nodes of this machine.

    python -m benchmarks.fleet [--rounds 9]

- **A host**: `srun -w HOST docker run …` with the command line of Freezer's own program, beside
  `srun -w HOST python3 host.pyz TASK HOST`, which finds the runtime and the image, runs the same
  container and writes the result file. In turns, with a higher priority than others on the machine;
  wall time. The cost is the median of the differences of neighbours.
- **Submission**: 200 jobs, held, so that none of them runs.
- **A thousand hosts**: `freeze fleet report --html` of result files of 50 kB each, a tenth of them
  drifted; CPU seconds and peak memory of the command.

It needs root, Docker and Debian's packages of Slurm. Writes `RESULTS.md` next to this file.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.kept import idle
from benchmarks.priority import FIRST, first
from freezer import __version__
from freezer.check.reference import write_reference
from freezer.engine.connect.connect import connect
from freezer.fetch.config import load_config
from freezer.fetch.store.store import Store
from freezer.fleet.folder import FleetFolder, KnownJob
from freezer.fleet.program import host_program
from freezer.fleet.request import Attempt, Submission
from freezer.fleet.slurm import JobRequest
from freezer.fleet.slurm import Slurm as Programs
from freezer.flows.fleet.images import fleet_environment
from freezer.flows.project.environment import load_locked
from freezer.flows.project.project import Project as FlowProject
from freezer.inside.freezer_host.runtimes import Docker
from freezer.inside.freezer_inside.fingerprint import cpu_info
from freezer.model.events import SilentReporter
from freezer.model.lockfile import LOCK_FILE, lock_bytes, lock_id
from tests.support.cluster import fleets
from tests.support.cluster.slurm import NODES, Slurm
from tests.support.debian.bases import PLATFORMS, kept_store
from tests.support.host.commands import Project, forget
from tests.support.project.locks import make_lock
from tests.support.project.records import lines, record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).parent
AS_OF = "2026-11-20T00:00:00Z"
JOBS, HOSTS = 200, 1000
CPU: list[float] = []
"""CPU seconds of the container's command alone, and of Freezer's program."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    quiet = idle()
    with tempfile.TemporaryDirectory(prefix="freezer-", dir="/tmp") as scratch:
        folder = Path(scratch)
        folder.chmod(0o755)  # the database has a user of its own
        with first(os.geteuid() == 0), cluster(folder) as slurm:
            bare, own = host_cost(slurm, folder, options.rounds)
            submitted = submission(folder)
            versions = [version("docker", "--version"), version("sbatch", "--version")]
        reported = report(folder / "thousand")
    text = page(quiet, bare, own, submitted, reported, versions)
    (HERE / "RESULTS.md").write_text(text)
    print(text)


@contextmanager
def cluster(folder: Path) -> Iterator[Slurm]:
    (folder / "slurm").mkdir()
    slurm = Slurm(folder / "slurm")
    try:
        slurm.start()
        os.environ.update(slurm.environment)
        yield slurm
    finally:
        slurm.stop()


def host_cost(slurm: Slurm, folder: Path, rounds: int) -> tuple[list[float], list[float]]:
    """Return the seconds of the container alone, and of Freezer's program, in turns."""
    project = Project(folder / "project", kept_store().root, f"freezer-bench-{os.getpid()}")
    project.folder.mkdir()
    opened = FlowProject(
        project.folder, load_config(), Store(project.store), connect, SilentReporter()
    )
    engine = connect()
    project.spec(
        base={"bootstrap": "bookworm"}, platform=PLATFORMS[engine.info.architecture], python="3.11",
        pip=["numpy"], smoke={"training": ["numpy"], "memory": "1g"}, **{"as-of": AS_OF},
    )  # fmt: skip
    project.freeze("lock").good()
    project.freeze("build").good()
    image = engine.image(f"{project.name}:latest")
    try:
        return measure(slurm, opened, project, rounds)
    finally:
        if image is not None:
            forget(engine, image)


def measure(
    slurm: Slurm, opened: FlowProject, project: Project, rounds: int
) -> tuple[list[float], list[float]]:
    root = project.folder / ".freezer" / "fleets"
    root.mkdir(parents=True)
    one = fleet_environment(opened, load_locked(project.folder, project.name), root, pull=False)
    asked = fleets.request(*NODES, environments=(one,))
    some = {node: Submission(environments=(one.name,)) for node in NODES}
    tried = Attempt(number=1, created=asked.created, nonce=fleets.NONCE, hosts=some)
    folder = fleets.make_fleet(root, asked, tried)
    folder.program.write_bytes(host_program())
    values = one.model_dump(mode="json", by_alias=True)
    alone = Docker("").command(one.image, values, f"freezer-bench-{os.getpid()}")
    program = ["python3", "-I", str(folder.program), str(folder.task(1)), "n1"]
    bare, own = [], []
    spent = [cpu(alone), cpu(program)]
    folder.result(1, "n1", one.name).unlink()
    print(f"CPU seconds of the host's own processes: {spent[0]:.2f}, {spent[1]:.2f}", flush=True)
    CPU[:] = spent
    for _ in range(rounds + 1):
        bare.append(timed(lambda: srun(slurm, alone)))
        own.append(timed(lambda: srun(slurm, program)))
        folder.result(1, "n1", one.name).unlink()  # and it must be there
    return bare[1:], own[1:]


def srun(slurm: Slurm, command: list[str]) -> None:
    slurm.run("srun", "--nodelist=n1", "--nodes=1", "--ntasks=1", "--quiet", *command)


def cpu(command: list[str]) -> float:
    """Return the CPU seconds of a command and its children; a container is the engine's child."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True, env=os.environ)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def timed(run: Callable[[], None]) -> float:
    started = time.monotonic()
    run()
    return time.monotonic() - started


def submission(folder: Path) -> float:
    programs = Programs(("--hold",))
    requests = [
        JobRequest(
            name=f"freezer-many-{number}", node=NODES[number % 4], script="#!/bin/sh\nexit 0\n",
            log=folder / "log", cpus=1, memory="1g", gpus=0, seconds=600, deadline=3600,
        )
        for number in range(JOBS)
    ]  # fmt: skip
    numbers: list[str | None] = []

    def submit() -> None:
        with ThreadPoolExecutor(8) as pool:  # as `freezer.flows.fleet.submit` does
            numbers.extend(pool.map(lambda one: programs.submit("all", one), requests))

    seconds = timed(submit)
    programs.cancel([number for number in numbers if number])
    assert len(set(numbers)) == JOBS
    return seconds


def report(folder: Path) -> tuple[float, float, float]:
    """Return CPU seconds and peak megabytes of the command, and megabytes of all result files."""
    locks = folder / "lockfiles" / "demo"
    locks.mkdir(parents=True)
    data = lock_bytes(make_lock())
    (locks / LOCK_FILE).write_bytes(data)
    own, inside = lock_id(data), make_lock().inside.sha256
    write_reference(locks, record().model_copy(update={"lock_id": own, "inside": inside}))
    size = write_results(folder / ".freezer" / "fleets", own, inside)
    command = [sys.executable, "-m", "freezer", "-C", str(folder), "fleet", "report", "--json"]
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen([*command, "--html", str(folder / "page.html")], stdout=out)
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 1, "a tenth of the hosts drifted"
    assert (folder / "page.html").read_text().count("node999") >= 1
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, size / 1e6


def write_results(root: Path, own: str, inside: str) -> int:
    many = [line for step in range(60) for line in lines(weight=1.0 + step)[:-1]]
    told = [*lines()[:-1], *many, lines()[-1]]
    drifted = [*told[:-1], *lines(weight=9.5)[:-1], told[-1]]
    hosts = [f"node{number}" for number in range(HOSTS)]
    one = fleets.environment(lock_id=own).model_copy(update={"inside": inside})
    # Engines have no scheduler that would have to know a thousand jobs.
    places = dict.fromkeys(hosts, "unix:///none")
    tried = fleets.attempt(*hosts)
    folder = fleets.make_fleet(
        root, fleets.request(*hosts, environments=(one,), addresses=places), tried
    )
    for number, host in enumerate(hosts):
        facts = {"kernel": "6.1" if number % 10 else "6.6"}
        document = fleets.result_document(
            host, told=told if number % 10 else drifted, facts=facts, **{"lock-id": own, "job": ""}
        )
        fleets.write_result(folder, document)
    folder.keep_jobs(ended(folder, tried, hosts))
    return sum(path.stat().st_size for path in folder.results(1).glob("*/*.json"))


def ended(folder: FleetFolder, tried: Attempt, hosts: list[str]) -> dict[str, KnownJob]:
    return {
        tried.job_name(folder.id, host): KnownJob("7", "COMPLETED", host, "", time.time())
        for host in hosts
    }


def page(
    quiet: float,
    bare: list[float],
    own: list[float],
    submitted: float,
    reported: tuple[float, float, float],
    versions: list[str],
) -> str:
    facts = cpu_info(Path("/proc/cpuinfo").read_text())
    seconds, memory, size = reported
    words = ": others used the machine, so times are longer than on a quiet one"
    busy = FIRST if quiet > 0.9 else f"{FIRST}{words}"
    return "\n".join(
        [
            "# Checks of clusters: results",
            "",
            (
                f"Measured on {datetime.now(UTC):%Y-%m-%d} on {os.cpu_count()} cores of "
                f"{facts.get('model name', 'an unknown CPU')}, with Freezer {__version__}, Python "
                f"{sys.version.split()[0]}, {' and '.join(versions)}; four nodes on one machine. "
                "Written by `run.py`, which says what is measured."
            ),
            f"Right before, the CPUs were idle for {quiet:.0%} of the time{busy}.",
            "",
            "A host, seconds; the image is there already:",
            "",
            "| | median | shortest | longest | beside the container alone |",
            "| --- | --- | --- | --- | --- |",
            row("`srun docker run …`", bare, bare),
            row("`srun python3 host.pyz …`", own, bare),
            "",
            "| | measured | at most |",
            "| --- | --- | --- |",
            f"| cost per host beside the container | {cost(own, bare):.2f} s | 0.5 s |",
            f"| the same in CPU seconds, the container aside | {CPU[1] - CPU[0]:.2f} s | |",
            f"| {JOBS} jobs submitted | {submitted:.1f} s | 10 s |",
            f"| report and page of {HOSTS:,} hosts, {size:.0f} MB: CPU | {seconds:.2f} s | 2 s |",
            f"| the same: peak memory | {memory:.0f} MB | 200 MB |",
            "",
        ]
    )


def cost(some: list[float], beside: list[float]) -> float:
    """Return the median of the differences of neighbours."""
    return median(one - other for one, other in zip(some, beside, strict=True))


def row(name: str, some: list[float], beside: list[float]) -> str:
    more = cost(some, beside)
    ratio = 1 + more / median(beside)
    figures = f"{median(some):.2f} | {min(some):.2f} | {max(some):.2f}"
    return f"| {name} | {figures} | {more:+.2f} s, {ratio:.2f} times |"


def version(*command: str) -> str:
    found = shutil.which(command[0])
    done = subprocess.run(
        [found or command[0], *command[1:]], capture_output=True, text=True, check=True
    )
    return done.stdout.strip().partition(",")[0].replace(" version ", " ")


if __name__ == "__main__":
    main()

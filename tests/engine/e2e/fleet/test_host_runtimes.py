"""The program of a host with engines that lack the image: docker and podman load it themselves."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from freezer.engine.connect.connect import connect
from freezer.fetch.config import load_config
from freezer.fetch.store.store import Store
from freezer.fleet.folder import FleetFolder, task_document
from freezer.fleet.program import host_program
from freezer.fleet.request import Attempt, Request, Submission
from freezer.fleet.result import HostResult, read_result
from freezer.flows.fleet.gather import Gatherer
from freezer.flows.fleet.images import fleet_environment
from freezer.flows.project.environment import load_locked
from freezer.flows.project.project import Project as FlowProject
from freezer.model.events import SilentReporter
from freezer.model.record.word import Word
from tests.support.cluster.fleets import NONCE, request
from tests.support.host.commands import Project
from tests.support.host.daemons import PODMAN, own_daemon, own_podman, remove

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive]
OWN = """#!/bin/sh
exec {program} {options} "$@"
"""


@pytest.fixture
def engine_of(request: pytest.FixtureRequest, shared: Path) -> Iterator[Mapping[str, str]]:
    """Return the variables by which a command line reaches an engine that holds no image."""
    folder = Path(tempfile.mkdtemp(prefix="own-", dir=shared))
    if request.param == "docker":
        with own_daemon(folder) as daemon:
            yield {"DOCKER_HOST": daemon.address, "PATH": os.environ["PATH"]}
        return
    with own_podman() as podman:
        place = podman.address.removeprefix("unix://").rpartition("/")[0]
        program = folder / "podman"
        options = f"--root={place}/root --runroot={place}/run"
        program.write_text(OWN.format(program="/usr/bin/podman", options=options))
        program.chmod(0o755)
        variables = {"CONTAINERS_CONF": f"{place}/containers.conf"}
        yield {"PATH": f"{folder}:{os.environ['PATH']}", **variables}


ROOTLESS = "freezer-rootless"
"""A user of the tests alone, with subordinate IDs."""


@pytest.fixture
def user(shared: Path) -> Iterator[Mapping[str, str]]:
    """Make an ordinary user; return the variables of its session."""
    missing = [
        one for one in ("podman", "newuidmap", "useradd", "setpriv") if not shutil.which(one)
    ]
    if os.geteuid() != 0 or missing:
        pytest.skip(f"a user of the test's own takes {', '.join(['root', *missing])}")
    home = Path(tempfile.mkdtemp(prefix="home-", dir=shared))
    remove_user()
    subprocess.run(["useradd", "--no-create-home", "--home-dir", str(home), ROOTLESS], check=True)
    runtime = home / "run"
    runtime.mkdir(mode=0o700)
    (home / "containers.conf").write_text(PODMAN)
    for path in (home, runtime):
        shutil.chown(path, ROOTLESS, ROOTLESS)
    try:
        yield {
            "HOME": str(home), "USER": ROOTLESS, "XDG_RUNTIME_DIR": str(runtime),
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "CONTAINERS_CONF": str(home / "containers.conf"),
        }  # fmt: skip
    finally:
        remove_user()
        remove(home)


def remove_user() -> None:
    """Remove the user with what it left running: podman keeps a process for its namespaces."""
    with suppress(KeyError):
        number = pwd.getpwnam(ROOTLESS).pw_uid
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if process.stat().st_uid == number:
                    os.kill(int(process.name), signal.SIGKILL)
        time.sleep(0.2)
        subprocess.run(["userdel", ROOTLESS], check=True, capture_output=True)


def as_user(folder: FleetFolder, variables: Mapping[str, str]) -> list[str]:
    """Return the command prefix of the user, to whom everything of the fleet is given."""
    home = Path(variables["HOME"])
    for path in (folder.path, *folder.path.rglob("*")):
        shutil.chown(path, ROOTLESS, ROOTLESS)
    for path in folder.path.parents:
        if path == home.parent:
            break
        path.chmod(path.stat().st_mode | 0o555)
    return ["setpriv", f"--reuid={ROOTLESS}", f"--regid={ROOTLESS}", "--clear-groups"]


def test_podman_without_root_says_what_it_cannot_limit(
    project: Project, user: Mapping[str, str]
) -> None:
    opened = FlowProject(
        project.folder, load_config(), Store(project.store), connect, SilentReporter()
    )
    folder, asked, tried = prepared(opened, project, "podman")
    found = run_host(folder, asked, tried, user, as_user(folder, user))
    assert (found.outcome, found.exit) == ("ran", 0), found.reason
    assert "(rootless" in found.runtime
    if not Path("/sys/fs/cgroup/cgroup.controllers").exists():  # version 1 delegates nothing
        assert "no limit of pids and memory and cpuset" in found.runtime
    judge = Gatherer(opened, folder).judge(project.name)
    assert judge.row(found, "1").state.word is Word.IDENTICAL


@pytest.mark.parametrize("engine_of", ["docker", "podman"], indirect=True)
def test_a_host_loads_the_image_and_gives_the_same_results(
    engine_of: Mapping[str, str], project: Project, request: pytest.FixtureRequest
) -> None:
    runtime = request.node.callspec.params["engine_of"]
    opened = FlowProject(
        project.folder, load_config(), Store(project.store), connect, SilentReporter()
    )
    folder, asked, tried = prepared(opened, project, runtime)
    seconds = []
    for attempt in (1, 2):
        started = time.monotonic()
        found = run_host(folder, asked, tried, engine_of)
        seconds.append(time.monotonic() - started - found.seconds)
        assert (found.outcome, found.exit) == ("ran", 0), found.reason
        assert found.runtime.startswith(runtime)
        if attempt == 1:
            folder.result(1, "n1", project.name).unlink()
    judge = Gatherer(opened, folder).judge(project.name)
    assert judge.row(found, "1").state.word is Word.IDENTICAL
    # With the image there, all that is not the container's own time.
    assert seconds[1] < 2.0, seconds


def prepared(
    opened: FlowProject, project: Project, runtime: str
) -> tuple[FleetFolder, Request, Attempt]:
    root = project.folder / ".freezer" / "fleets"
    root.mkdir(parents=True)
    locked = load_locked(project.folder, project.name)
    one = fleet_environment(opened, locked, root, pull=False)
    asked = request("n1", environments=(one,), runtimes=(runtime,))
    some = {"n1": Submission(environments=(one.name,), job="1")}
    tried = Attempt(number=1, created=asked.created, nonce=NONCE, hosts=some)
    folder = FleetFolder(root / asked.id)
    folder.create(asked, host_program())
    folder.write_task(1, task_document(folder, asked, tried))
    folder.write_attempt(tried)
    return folder, asked, tried


def run_host(
    folder: FleetFolder,
    asked: Request,
    tried: Attempt,
    variables: Mapping[str, str],
    prefix: Sequence[str] = (),
) -> HostResult:
    python = "/usr/bin/python3" if prefix else sys.executable
    command = [*prefix, python, "-I", str(folder.program), str(folder.task(1)), "n1"]
    done = subprocess.run(command, env=dict(variables), capture_output=True, check=False)
    one = asked.environments[0]
    found = read_result(folder.result(1, "n1", one.name), asked.id, tried, "n1", one)
    assert isinstance(found, HostResult), done.stderr
    return found

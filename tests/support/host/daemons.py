"""Engines of a test's own, beside the one that is there: a dockerd that can be killed, and podman."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import docker
import pytest

PATIENCE = 60.0
INTERFACES = Path("/sys/class/net")
OPTIONS = ("--iptables=false", "--ip-masq=false", "--ip-forward=false")
"""The host's network is another daemon's. With ``--bridge=none`` one that starts would delete it:
Docker then removes the bridge ``docker0``, whoever made it."""


class Daemon:
    """A dockerd with a socket and a data root below a folder."""

    def __init__(self, folder: Path, programs: str = "", options: Sequence[str] = ()) -> None:
        """``programs`` is a folder with another Docker's than the installed one's."""
        self.address = f"unix://{folder}/engine.sock"
        self._folder = folder
        # containerd's sockets lie below, and no path of a socket may have more than 107 bytes.
        self.sockets = Path(tempfile.mkdtemp(prefix="freezer-run-"))
        self._path = f"{programs}:{os.environ['PATH']}" if programs else os.environ["PATH"]
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        places = {"data-root": self._folder / "data", "pidfile": self._folder / "pid"}
        places["exec-root"] = self.sockets
        given = [f"--{option}={place}" for option, place in places.items()]
        (self._folder / "pid").unlink(missing_ok=True)
        program = shutil.which("dockerd", path=self._path) or "dockerd"
        interfaces = {path.name for path in INTERFACES.iterdir()}
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [program, "--host", self.address, *given, *OPTIONS, *self._options],
                stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, "PATH": self._path},
            )  # fmt: skip
        deadline = time.monotonic() + PATIENCE
        while not answers(self.address):
            if self._process.poll() is not None or time.monotonic() > deadline:
                pytest.fail((self._folder / "log").read_text()[-2000:])
            time.sleep(0.1)
        gone = interfaces - {path.name for path in INTERFACES.iterdir()}
        gone = {name for name in gone if "veth" not in name}  # those of containers that ended
        assert not gone, f"it removed interfaces of the host: {gone}"

    def kill(self) -> None:
        """Kill it and the containerd that it started, as a crash of the host would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
            # containerd dies with it. Where nobody reaps it, its process ID looks alive.
            (self.sockets / "containerd/containerd.pid").unlink(missing_ok=True)

    def containers(self) -> int:
        """Return how many containers it has, running or not."""
        with closing(docker.APIClient(self.address)) as api:
            return len(api.containers(all=True))


@contextmanager
def own_daemon(folder: Path, programs: str = "", options: Sequence[str] = ()) -> Iterator[Daemon]:
    """Run a daemon below a folder; both are gone at the end."""
    if os.geteuid() != 0 or shutil.which("dockerd") is None:
        pytest.skip("a dockerd of the test's own takes root and an installed dockerd")
    daemon = Daemon(folder, programs, options)
    daemon.start()
    try:
        yield daemon
    finally:
        daemon.kill()
        remove(folder)
        remove(daemon.sockets)


PODMAN = """
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
[containers]
log_driver = "k8s-file"
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
"""
"""What works without systemd, and where nobody may raise a limit."""


class Podman:
    """A podman service with a network namespace, a socket and a store of its own."""

    def __init__(self, folder: Path) -> None:
        self.address = f"unix://{folder}/podman.sock"
        self._folder = folder
        (folder / "containers.conf").write_text(PODMAN)
        self._environment = {**os.environ, "CONTAINERS_CONF": f"{folder}/containers.conf"}
        self._podman = ["podman", f"--root={folder}/root", f"--runroot={folder}/run"]

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Answer on the socket, with no route to anywhere."""
        service = ["unshare", "--net", *self._podman, "system", "service", "--time=0"]
        with (self._folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [*service, self.address], env=self._environment, stdout=log, stderr=log
            )
        try:
            deadline = time.monotonic() + PATIENCE
            while not answers(self.address):
                if process.poll() is not None or time.monotonic() > deadline:
                    pytest.fail((self._folder / "log").read_text()[-2000:])
                time.sleep(0.1)
            yield
        finally:
            process.kill()
            process.wait()

    def run(self, *arguments: str) -> str:
        """Run a command of podman's own on the same store."""
        command = [*self._podman, *arguments]
        return subprocess.run(
            command, env=self._environment, capture_output=True, text=True, check=True
        ).stdout


@contextmanager
def own_podman() -> Iterator[Podman]:
    """Run a podman that holds nothing yet; it is gone at the end, with all that it held."""
    missing = [tool for tool in ("podman", "runc", "unshare") if shutil.which(tool) is None]
    if os.geteuid() != 0 or missing:
        pytest.skip(f"a podman of the test's own takes root and {', '.join(missing)}")
    folder = Path(tempfile.mkdtemp(prefix="freezer-"))  # podman takes no longer path than 50
    podman = Podman(folder)
    try:
        with podman.serving():
            yield podman
    finally:
        remove(folder)


def remove(folder: Path) -> None:
    """Remove an engine's folder with all that is mounted in it."""
    mounts = Path("/proc/self/mounts").read_text().splitlines()
    for place in sorted((line.split()[1] for line in mounts), reverse=True):
        if place.startswith(f"{folder}/"):
            subprocess.run(["umount", "--lazy", place], check=False)
    shutil.rmtree(folder, ignore_errors=True)


def answers(address: str) -> bool:
    """Say whether an engine answers on a socket."""
    with socket.socket(socket.AF_UNIX) as door, suppress(OSError):
        door.settimeout(2)
        door.connect(address.removeprefix("unix://"))
        door.sendall(b"GET /_ping HTTP/1.0\r\nHost: engine\r\n\r\n")
        return b" 200 " in door.recv(100)
    return False

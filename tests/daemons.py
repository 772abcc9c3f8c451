"""A dockerd of a test's own, beside the one that is there: it can be killed and started again."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import docker
import pytest

PATIENCE = 60.0
OPTIONS = ("--bridge=none", "--iptables=false", "--ip-masq=false")
"""No container of Freezer's has a network, and two daemons would fight over the host's."""


class Daemon:
    """A dockerd with a socket and a data root below a folder."""

    def __init__(self, folder: Path) -> None:
        self.address = f"unix://{folder}/engine.sock"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        places = {"data-root": "data", "exec-root": "run", "pidfile": "pid"}
        given = [f"--{option}={self._folder / name}" for option, name in places.items()]
        (self._folder / "pid").unlink(missing_ok=True)
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["dockerd", "--host", self.address, *given, *OPTIONS],
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                pytest.fail((self._folder / "log").read_text()[-2000:])
            time.sleep(0.1)

    def kill(self) -> None:
        """Kill it and the containerd that it started, as a crash of the host would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
            # containerd dies with it. Where nobody reaps it, its process ID looks alive.
            (self._folder / "run/containerd/containerd.pid").unlink(missing_ok=True)

    def containers(self) -> int:
        """Return how many containers it has, running or not."""
        with closing(docker.APIClient(self.address)) as api:
            return len(api.containers(all=True))

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as door, suppress(OSError):
            door.settimeout(2)
            door.connect(self.address.removeprefix("unix://"))
            door.sendall(b"GET /_ping HTTP/1.0\r\nHost: engine\r\n\r\n")
            return b" 200 " in door.recv(100)
        return False


@contextmanager
def own_daemon(folder: Path) -> Iterator[Daemon]:
    """Run a daemon below a folder; both are gone at the end."""
    if os.geteuid() != 0 or shutil.which("dockerd") is None:
        pytest.skip("a dockerd of the test's own takes root and an installed dockerd")
    daemon = Daemon(folder)
    daemon.start()
    try:
        yield daemon
    finally:
        daemon.kill()
        mounts = Path("/proc/self/mounts").read_text().splitlines()
        for place in sorted((line.split()[1] for line in mounts), reverse=True):
            if place.startswith(f"{folder}/"):
                subprocess.run(["umount", "--lazy", place], check=False)
        shutil.rmtree(folder, ignore_errors=True)

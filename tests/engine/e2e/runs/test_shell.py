"""`freeze shell` in a real image: a pipe, a terminal, and a port for this host alone."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import socket
import subprocess
import sys
import time
import urllib.request

import docker.errors
import pytest

from freezer.engine.engine import DockerEngine
from freezer.engine.interface import ImageInfo, RunOptions
from freezer.engine.run.run import in_container
from tests.support.host.commands import Project
from tests.support.ports import free_port
from tests.support.waiting import SOON, wait_until

pytestmark = pytest.mark.engine


def command(project: Project, *words: str) -> list[str]:
    return [sys.executable, "-m", "freezer", "-C", str(project.folder), "shell", *words]


def test_a_pipe_goes_in_and_the_code_is_written(built: Project, tmp_path) -> None:
    project = built.copy(tmp_path / "shell")
    done = subprocess.run(
        command(project, "--", "python", "-"),
        input=b"import sys; open('/code/new', 'w').write('x'); print('out'); sys.exit(7)",
        env={**os.environ, "FREEZER_STORE": str(project.store)},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout) == (7, b"out\n")
    assert b"Not recorded" in done.stderr
    assert (project.folder / "new").stat().st_uid == os.getuid()
    assert project.freeze("runs", "list", "--json").good().document["total"] == 0


class Terminal:
    """A terminal, and a command at it in a process of its own."""

    def __init__(self, project: Project, *words: str) -> None:
        words = tuple(command(project, "--", *words))
        self._child, self._terminal = pty.fork()
        if self._child == 0:
            os.environ["FREEZER_STORE"] = str(project.store)
            os.execv(words[0], words)
        self._seen = b""
        self._status: int | None = None

    def type(self, keys: bytes) -> None:
        os.write(self._terminal, keys)

    def until(self, wanted: bytes) -> None:
        """Read on, to the end of what is wanted."""
        limit = time.monotonic() + SOON
        while wanted not in self._seen:
            assert time.monotonic() < limit, self._seen
            if select.select([self._terminal], [], [], 0.5)[0]:
                self._seen += os.read(self._terminal, 4096)
        self._seen = self._seen.partition(wanted)[2]

    def ended(self) -> int:
        """Return how the command ended."""
        wait_until(self._has_ended, "the end of the command at the terminal")
        return os.waitstatus_to_exitcode(self._status or 0)

    def _has_ended(self) -> bool:
        if self._status is None:
            child, status = os.waitpid(self._child, os.WNOHANG)
            self._status = status if child else None
        return self._status is not None

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        """Hang up: the command removes its container, whose image other tests remove."""
        os.close(self._terminal)
        self.ended()


PROMPT = b"# " if os.getuid() == 0 else b"$ "

WAIT = b"""sh -c 'echo wait""ing; exec sleep 600'\r"""
"""A command that says when it runs, and that SIGINT ends at once from then on: a shell that is about
to start a command may lose the signal, and so may Python that is about to sleep."""


def test_a_terminal_is_one_inside_and_ctrl_c_is_the_command_s(built: Project, tmp_path) -> None:
    project = built.copy(tmp_path / "terminal")
    with Terminal(project, "sh") as terminal:
        terminal.until(PROMPT)
        terminal.type(b"tty; " + WAIT)
        terminal.until(b"/dev/pts/")
        terminal.until(b"waiting")
        terminal.type(b"\x03")
        terminal.until(PROMPT)
        terminal.type(b"echo still $((40 + 2))\r")
        terminal.until(b"still 42")
        terminal.type(b"exit 5\r")
        terminal.until(b"nothing of it was recorded")
        assert terminal.ended() == 5


def test_a_port_is_published_to_this_host_alone(engine: DockerEngine, image: ImageInfo) -> None:
    options = RunOptions(ports=(8888,), network="bridge")
    link = engine._link
    with in_container(link, image.id, ["true"], options) as container:
        bindings = link.api.inspect_container(container)["HostConfig"]["PortBindings"]
    assert bindings == {"8888/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8888"}]}


@pytest.fixture
def bridged(engine: DockerEngine, image: ImageInfo) -> None:
    """Skip where the engine has no network for containers."""
    options = RunOptions(ports=(free_port(),), network="bridge")
    with in_container(engine._link, image.id, ["true"], options) as container:
        try:
            engine._link.api.start(container)
        except docker.errors.APIError as error:
            pytest.skip(f"the engine has no usable bridge: {error.explanation}")


SERVER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello")
with http.server.HTTPServer(("0.0.0.0", int(sys.argv[1])), Handler) as server:
    server.handle_request()
"""


@pytest.mark.usefixtures("bridged")
def test_a_server_in_the_container_is_reached_on_the_loopback(built: Project, tmp_path) -> None:
    project, port = built.copy(tmp_path / "port"), free_port()
    with subprocess.Popen(
        command(project, "--port", str(port), "--", "python", "-c", SERVER, str(port)),
        env={**os.environ, "FREEZER_STORE": str(project.store)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        answer, limit = b"", time.monotonic() + 60
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        while not answer and time.monotonic() < limit:
            with contextlib.suppress(OSError), opener.open(f"http://127.0.0.1:{port}/") as found:
                answer = found.read()
            time.sleep(0.2)
        assert answer == b"hello"
        assert process.wait(60) == 0


@pytest.mark.usefixtures("bridged")
def test_a_port_that_is_in_use_is_named(built: Project, tmp_path) -> None:
    project = built.copy(tmp_path / "taken")
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        port = str(door.getsockname()[1])
        done = subprocess.run(
            command(project, "--port", port, "--", "true"),
            env={**os.environ, "FREEZER_STORE": str(project.store)},
            capture_output=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 2
    assert f"port {port} of 127.0.0.1 is in use" in " ".join(done.stderr.decode().split())

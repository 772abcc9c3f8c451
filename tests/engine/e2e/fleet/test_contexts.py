"""``freeze check --on contexts``: an engine over ssh, one over TLS that lacks the image, one gone."""

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import certifi
import pytest

from tests.support.cluster.remote import (
    SSHD,
    free_port,
    make_certificates,
    make_context,
    ssh_server,
)
from tests.support.cluster.slurm import states, until
from tests.support.host.commands import Project, outcome
from tests.support.host.daemons import own_daemon

pytestmark = [
    pytest.mark.engine,
    pytest.mark.index,
    pytest.mark.archive,
    pytest.mark.skipif(SSHD is None or os.getuid() != 0, reason="needs root and an sshd"),
]


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch, shared: Path) -> Iterator[Path]:
    """Return a folder of docker's configuration with three contexts."""
    folder = Path(tempfile.mkdtemp(prefix="contexts-", dir=shared))
    made = folder / "docker"
    for name in ("ssh", "tls", "docker"):
        (folder / name).mkdir()
    make_certificates(folder / "tls")
    port = free_port()
    options = [
        f"--host=tcp://127.0.0.1:{port}",
        "--tlsverify",
        f"--tlscacert={folder}/tls/ca.pem",
        f"--tlscert={folder}/tls/server-cert.pem",
        f"--tlskey={folder}/tls/server-key.pem",
    ]
    make_context(made, "secure", f"tcp://127.0.0.1:{port}", folder / "tls")
    make_context(made, "gone", f"tcp://127.0.0.1:{free_port()}")
    make_context(made, "shell", "ssh://elsewhere")
    engine = Path(tempfile.mkdtemp(prefix="engine-", dir=shared))
    with ssh_server(folder / "ssh") as programs, own_daemon(engine, options=options):
        monkeypatch.setenv("DOCKER_CONFIG", str(made))
        # Another authority than that of the context, as many a company sets for the web.
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())
        monkeypatch.setenv("DOCKER_HOST", "unix:///var/run/docker.sock")
        monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
        yield made


def test_contexts_are_hosts(config: Path, project: Project, tmp_path: Path) -> None:
    found = project.freeze("check", "--on", "contexts", "--wait", "--json").failed(1).document
    states = {one["host"]: (one["state"], one["cause"]) for one in found["hosts"]}
    assert states == {
        "gone": ("not checked", "down"),
        "secure": ("identical", None),
        "shell": ("identical", None),
    }
    assert "does not answer" in next(
        one["reason"] for one in found["hosts"] if one["host"] == "gone"
    )
    # The one that was gone is in the place of the other now; it alone is asked.
    (config / "contexts").rename(config / "away")
    make_context(config, "gone", "ssh://elsewhere")
    again = project.freeze("fleet", "resume", "--wait", "--json").good().document
    attempts = {one["host"]: one["attempt"] for one in again["hosts"]}
    assert attempts == {"gone": 2, "secure": 1, "shell": 1}

    (project.folder / "hosts.yaml").write_text("hosts:\n  a: ssh://elsewhere\n  b: unix:///none\n")
    listed = project.freeze("check", "--on", "hosts.yaml", "--wait", "--json").failed(1).document
    assert [one["state"] for one in listed["hosts"]] == ["identical", "not checked"]


def test_ctrl_c_ends_the_trainings_and_leaves_hosts_to_resume(project: Project) -> None:
    """More hosts than are checked at once: some run, some wait for their turn."""
    hosts = [f"h{number}" for number in range(10)]
    lines = "".join(f"  {name}: unix:///var/run/docker.sock\n" for name in hosts)
    (project.folder / "hosts.yaml").write_text(f"hosts:\n{lines}")
    running = project.start("check", project.name, project.name, "--on", "hosts.yaml")
    results = project.folder / ".freezer" / "fleets"
    until(lambda: len(list(results.glob("*/tasks/1.json"))) == 1)
    time.sleep(1.5)
    running.send_signal(signal.SIGINT)
    outcome(running, timeout=10).failed(130, "freeze fleet resume")
    found = project.freeze("fleet", "status", "--json").good().document
    assert len(found["hosts"]) == len(hosts)  # an environment that is named twice is checked once
    assert set(states(found).values()) <= {("not checked", "lost"), ("identical", None)}
    assert ("not checked", "lost") in states(found).values()
    project.freeze("fleet", "resume", "--no-wait").good()

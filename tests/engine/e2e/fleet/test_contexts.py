"""``freeze check --on contexts``: an engine over ssh, one over TLS that lacks the image, one gone."""

import os
import tempfile
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
from tests.support.host.commands import Project
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

"""Which engine is taken, and what is said when none is."""

from __future__ import annotations

import hashlib
import json
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import docker
import docker.errors
import pytest

from freezer.engine.connect import connect as module
from freezer.engine.connect.connect import candidates, connect, sockets
from freezer.errors import EngineError

if TYPE_CHECKING:
    from tests.support.host.engine_socket import FakeEngine


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / ".docker"))


def test_the_given_address_comes_before_all() -> None:
    found = candidates("tcp://h:1", {"DOCKER_HOST": "tcp://other:2"}, Path("/home/u"))
    assert [item.address for item in found] == ["tcp://h:1"]


def test_docker_host_is_not_replaced_by_a_socket() -> None:
    found = candidates(None, {"DOCKER_HOST": "unix:///x.sock"}, Path("/home/u"))
    assert [item.address for item in found] == ["unix:///x.sock"]


def test_the_usual_sockets_in_order() -> None:
    found = candidates(None, {"XDG_RUNTIME_DIR": "/run/u"}, Path("/home/u"))
    assert [item.address for item in found] == [
        "unix:///var/run/docker.sock",
        "unix:///run/u/docker.sock",
        "unix:///home/u/.docker/run/docker.sock",
        "unix:///home/u/.docker/desktop/docker.sock",
        "unix:///home/u/.colima/default/docker.sock",
        "unix:///run/podman/podman.sock",
        "unix:///run/u/podman/podman.sock",
    ]


def test_the_docker_context_in_use_counts(tmp_path: Path) -> None:
    make_context(tmp_path / ".docker", "mine", "tcp://elsewhere:2375")
    found = candidates(None, {"DOCKER_CONTEXT": "mine"}, tmp_path)
    assert [(item.address, item.origin) for item in found] == [
        ("tcp://elsewhere:2375", "docker context mine")
    ]
    (tmp_path / ".docker/config.json").write_text(json.dumps({"currentContext": "mine"}))
    assert candidates(None, {}, tmp_path)[0].address == "tcp://elsewhere:2375"
    assert candidates(None, {"DOCKER_CONTEXT": "default"}, tmp_path)[0].origin == "a usual socket"


def make_context(config: Path, name: str, host: str) -> Path:
    digest = hashlib.sha256(name.encode()).hexdigest()
    meta = config / "contexts" / "meta" / digest / "meta.json"
    meta.parent.mkdir(parents=True)
    meta.write_text(json.dumps({"Name": name, "Endpoints": {"docker": {"Host": host}}}))
    return config / "contexts" / "tls" / digest / "docker"


def test_a_context_s_certificates_are_used(tmp_path: Path) -> None:
    folder = make_context(tmp_path, "tls", "tcp://elsewhere:2376")
    folder.mkdir(parents=True)
    for name in ("ca", "cert", "key"):
        (folder / f"{name}.pem").touch()
    found = candidates(None, {"DOCKER_CONFIG": str(tmp_path), "DOCKER_CONTEXT": "tls"}, tmp_path)
    assert found[0].tls.ca_cert == str(folder / "ca.pem")
    assert found[0].tls.cert == (str(folder / "cert.pem"), str(folder / "key.pem"))


def test_a_context_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="no docker context 'gone'"):
        candidates(None, {"DOCKER_CONTEXT": "gone"}, tmp_path)


def test_the_first_socket_that_answers_is_taken(
    fake: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listening = Path(fake.address.removeprefix("unix://"))
    monkeypatch.setattr(module, "sockets", lambda environ, home: [tmp_path / "no", listening])
    engine = connect()
    engine.close()
    assert engine.info.address == fake.address
    assert (engine.info.version, engine.info.cpus) == ("20.10.24", 2)


def test_what_was_tried_is_listed_with_the_reasons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "dead"))  # bound, and nobody listens
    tried = [tmp_path / "none", tmp_path / "file", tmp_path / "dead"]
    monkeypatch.setattr(module, "sockets", lambda environ, home: tried)
    with pytest.raises(EngineError, match="no container engine answers") as raised:
        connect()
    reasons = [detail.rsplit(": ", 1)[1] for detail in raised.value.details]
    assert reasons == ["no such file or directory", "not a socket", "connection refused"]
    assert "make engine" in str(raised.value.hint), "this is a checkout"
    assert "freeze doctor" in str(raised.value.hint)
    monkeypatch.setattr(module, "_CHECKOUT", tmp_path / "site-packages" / "scripts" / "engine.sh")
    with pytest.raises(EngineError) as installed:
        connect()
    assert "make " not in str(installed.value.hint), "who installed a wheel has no Makefile"
    assert "install Docker or podman" in str(installed.value.hint)


def test_a_socket_that_one_may_not_use_says_how_to_get_in(
    fake: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object) -> None:
        try:
            raise PermissionError(13, "Permission denied")
        except PermissionError as error:
            msg = f"Error while fetching server API version: {error}"
            raise docker.errors.DockerException(msg) from error

    monkeypatch.setattr(module, "_asked_directly", lambda _: None)  # root may use any socket
    monkeypatch.setattr(module, "_client", denied)
    with pytest.raises(EngineError) as raised:
        connect(fake.address)
    assert "permission denied" in raised.value.details[0]
    assert "usermod -aG docker" in str(raised.value.hint)


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("tcp://127.0.0.1:1", "connection refused"),
        ("ssh://host", "forward the socket"),
        ("nonsense://x", "nonsense"),
    ],
)
def test_an_address_that_cannot_be_one_is_explained(address: str, reason: str) -> None:
    with pytest.raises(EngineError) as raised:
        connect(address)
    assert reason in raised.value.details[0]


def test_something_else_that_speaks_http_is_no_engine(fake: FakeEngine) -> None:
    fake.answers[("GET", "/version")] = (200, {"hello": "ecosystem"})
    with pytest.raises(EngineError, match="no container engine answers"):
        connect(fake.address)


def test_rootless_runtime_folder_has_a_default() -> None:
    assert any(str(path).startswith("/run/user/") for path in sockets({}, Path("/home/u")))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "no JSON object"), ("3", "no JSON object"), ("null", "no JSON object"),
        ('{"HttpHeaders": [1]}', "HttpHeaders"), ('{"HttpHeaders": {"a": 1}}', "HttpHeaders"),
        ('{"auths": {"x": {"auth": "!!"}}}', "logins"),
        ('{"auths": {"x": {"auth": "aHVzaA=="}}}', "logins"),
    ],
)  # fmt: skip
def test_a_docker_configuration_of_another_shape_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(EngineError, match="Docker's configuration") as caught:
        connect("unix:///nowhere.sock")
    assert str(caught.value.where) == str(tmp_path / "config.json")
    assert said in str(caught.value.found)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{}", "nope", '{"auths": {}, "credsStore": "x", "new": [1]}'])
def test_a_docker_configuration_that_the_sdk_takes_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(EngineError, match="no container engine answers"):
        connect("unix:///nowhere.sock")

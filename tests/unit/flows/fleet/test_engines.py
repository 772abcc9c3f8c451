"""Engines as hosts: contexts, files of addresses, and archives of images."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest

from freezer.engine.connect import tunnel
from freezer.engine.connect.tunnel import forwarded
from freezer.errors import EngineError, FleetError, FreezerError, HostError
from freezer.flows.fleet.engines import _unpacked, engine_addresses
from tests.support.cluster.remote import make_context


def test_contexts_are_named_or_all_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with pytest.raises(FleetError, match="there is no docker context"):
        engine_addresses("contexts", tmp_path, ())
    for name in ("b", "a"):
        make_context(tmp_path, name, "tcp://127.0.0.1:1")
    assert engine_addresses("contexts", tmp_path, ()) == {"a": "context:a", "b": "context:b"}
    assert engine_addresses("contexts:b", tmp_path, ()) == {"b": "context:b"}
    assert engine_addresses("contexts", tmp_path, ("a",)) == {"a": "context:a"}
    with pytest.raises(FleetError, match="there is no host 'c'"):
        engine_addresses("contexts", tmp_path, ("c",))
    for listed in ("a,c", "a,,b", "../x", "default", "a,a b"):
        with pytest.raises(FleetError, match="there is no docker context '"):
            engine_addresses(f"contexts:{listed}", tmp_path, ())


def test_a_file_names_hosts_and_addresses(tmp_path: Path) -> None:
    (tmp_path / "hosts.yaml").write_text("hosts:\n  a: ssh://me@a:22\n  b: context:b\n")
    assert engine_addresses("hosts.yaml", tmp_path, ()) == {"a": "ssh://me@a:22", "b": "context:b"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "hosts.yaml"),
        ("[]", "hosts.yaml"),
        ("hosts: {}", "the file names no hosts"),
        ("hosts: [a]", "the file is no list of hosts"),
        ("hosts: {a: ssh://a}\nmore: 1", "the file is no list of hosts"),
        ("hosts:\n  a b: ssh://a", r"hosts.yaml:2 \(hosts\): this cannot be a host's name"),
        ("hosts: {../../x: ssh://a}", "this cannot be a host's name"),
        ("hosts: {-o: ssh://a}", "this cannot be a host's name"),
        ('hosts: {"a\\n": ssh://a}', "this cannot be a host's name"),
        (f"hosts: {{{'x' * 201}: ssh://a}}", "this cannot be a host's name"),
        ("hosts:\n  a: ssh://a\n  b: gopher://b", r"hosts.yaml:3 \(hosts.b\): this is no address"),
        ("hosts: {a: {b: c}}", "this is no address"),
        ("a: &a [*a]", "hosts.yaml"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "hosts.yaml").write_text(text)
    with pytest.raises(FreezerError, match=said):
        engine_addresses("hosts.yaml", tmp_path, ())


@pytest.mark.parametrize("on", ["k8s:all", "hosts.txt", "", "none.yaml"])
def test_other_targets_are_refused(tmp_path: Path, on: str) -> None:
    with pytest.raises(FreezerError):
        engine_addresses(on, tmp_path, ())


@pytest.mark.parametrize(
    "address",
    ["ssh://", "ssh://-oProxyCommand=x", "ssh://a b", "ssh://a:x", "ssh://u@-h", "ssh://-u@h"],
)
def test_no_address_becomes_an_option_of_ssh(address: str) -> None:
    with pytest.raises(EngineError, match="cannot be used"), forwarded(address):
        pass


def test_the_socket_of_an_address_is_forwarded(tmp_path: Path) -> None:
    command = tunnel._command("ssh://me@host:2222/run/user/1000/docker.sock", tmp_path / "s")
    assert command[-2:] == ["--", "host"]
    assert f"{tmp_path}/s:/run/user/1000/docker.sock" in command
    assert command[command.index("-p") + 1] == "2222"
    assert command[command.index("-l") + 1] == "me"
    assert f"{tmp_path}/s:/var/run/docker.sock" in tunnel._command("ssh://host/", tmp_path / "s")


@pytest.mark.process
def test_a_host_that_ssh_does_not_reach_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = tmp_path / "ssh"
    client.write_text("#!/bin/sh\necho 'Host key verification failed.' >&2\nexit 255\n")
    client.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineError, match="Host key verification failed"), forwarded("ssh://a"):
        pass
    client.unlink()
    with pytest.raises(EngineError, match="No such file"), forwarded("ssh://a"):
        pass


def test_an_archive_gives_config_and_layers(tmp_path: Path) -> None:
    config = json.dumps({"rootfs": {"diff_ids": ["sha256:1"]}}).encode()
    manifest = json.dumps([{"Config": "c", "Layers": ["l"]}]).encode()
    path = tmp_path / "image.tar"
    with tarfile.open(path, "w") as archive:
        for name, data in (("c", config), ("l", b"layer"), ("manifest.json", manifest)):
            header = tarfile.TarInfo(name)
            header.size = len(data)
            archive.addfile(header, io.BytesIO(data))
    found, [layer] = _unpacked(path, tmp_path)
    assert (found, layer.diff_id) == (config, "sha256:1")
    assert layer.path is not None
    assert layer.path.read_bytes() == b"layer"
    for data in (b"", b"x" * 2000, path.read_bytes()[:1000]):
        path.write_bytes(data)
        with pytest.raises(HostError, match="the image's archive cannot be read"):
            _unpacked(path, tmp_path)

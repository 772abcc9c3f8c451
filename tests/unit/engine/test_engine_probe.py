"""What engines say of themselves is read alike."""

from __future__ import annotations

from typing import Any

import pytest

from freezer.engine.build.build import choose
from freezer.engine.connect.probe import read_info
from freezer.errors import EngineError, HostError

DOCKER: dict[str, Any] = {
    "ApiVersion": "1.41",
    "Version": "20.10.24",
    "Components": [{"Name": "Engine"}],
}
PODMAN: dict[str, Any] = {
    "ApiVersion": "1.41",
    "Version": "4.3.1",
    "Arch": "arm64",
    "Components": [{"Name": "Podman Engine"}],
}
CONTAINERD = [["driver-type", "io.containerd.snapshotter.v1"]]


def test_docker() -> None:
    said = {
        "Driver": "overlay2",
        "DriverStatus": [["Backing Filesystem", "extfs"]],
        "Architecture": "x86_64",
        "NCPU": 8,
        "MemTotal": 1024,
        "DockerRootDir": "/data",
        "Runtimes": {"runc": {}, "nvidia": {}},
    }
    info = read_info(DOCKER, said, "unix:///s")
    assert (info.name, info.version, info.architecture) == ("docker", "20.10.24", "x86_64")
    assert (info.cpus, info.memory, info.root) == (8, 1024, "/data")
    assert info.runtimes == ("nvidia", "runc")
    assert info.buildkit
    assert info.takes_thin


def test_the_containerd_store_gets_whole_archives() -> None:
    info = read_info(DOCKER, {"Driver": "overlayfs", "DriverStatus": CONTAINERD}, "a")
    assert info.containerd_store
    assert not info.takes_thin


def test_podman_has_no_buildkit_and_no_thin_load() -> None:
    info = read_info(PODMAN, {"Driver": "overlay", "Runtimes": None}, "a")
    assert (info.name, info.architecture, info.buildkit) == ("podman", "aarch64", False)
    assert not info.takes_thin


@pytest.mark.parametrize(
    ("info", "rootless"),
    [
        ({"SecurityOptions": ["name=seccomp,profile=default", "name=rootless"]}, True),
        ({"Rootless": True}, True),
        ({"SecurityOptions": ["name=seccomp"], "Rootless": False}, False),
        ({"SecurityOptions": None, "Rootless": "yes"}, False),
        ({}, False),
    ],
)
def test_an_engine_of_a_user_says_so(info: dict, rootless: bool) -> None:
    assert read_info(DOCKER, info, "a").rootless == rootless


def test_docker_before_buildkit() -> None:
    assert not read_info({**DOCKER, "ApiVersion": "1.38"}, {}, "a").buildkit


def test_the_builder_is_buildkit_where_there_is_one() -> None:
    docker, podman = read_info(DOCKER, {}, "a"), read_info(PODMAN, {}, "a")
    assert choose(docker, None) == choose(docker, "") == choose(docker, "buildkit") == "buildkit"
    assert choose(docker, "classic") == choose(podman, None) == "classic"


def test_a_builder_that_is_not_there_is_refused() -> None:
    with pytest.raises(EngineError, match="has no BuildKit"):
        choose(read_info(PODMAN, {}, "a"), "buildkit")
    with pytest.raises(HostError, match="FREEZER_BUILDER") as raised:
        choose(read_info(DOCKER, {}, "a"), "kaniko")
    assert raised.value.expected == "buildkit or classic"

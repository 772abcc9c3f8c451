"""An engine that answers by a script, and a client of it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from freezer.engine.connect.connect import connect
from freezer.engine.interface import EngineInfo
from tests.support.host.engine_socket import EngineServer, FakeEngine, handler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from freezer.engine.engine import DockerEngine

VERSION = {"ApiVersion": "1.41", "Version": "20.10.24", "Arch": "amd64"}
INFO = {
    "Driver": "overlay2",
    "DockerRootDir": "/var/lib/docker",
    "NCPU": 2,
    "MemTotal": 1 << 30,
    "Architecture": "x86_64",
}


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeEngine]:
    """Serve a fake engine on a socket of its own."""
    path = tmp_path / "engine.sock"
    engine = FakeEngine(f"unix://{path}")
    engine.answers[("GET", "/version")] = (200, VERSION)
    engine.answers[("GET", "/info")] = (200, INFO)
    with EngineServer(str(path), handler(engine)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield engine
        server.shutdown()
        thread.join()


@pytest.fixture
def connected(fake: FakeEngine) -> Iterator[DockerEngine]:
    """Return a client that talks to the fake engine."""
    engine = connect(fake.address)
    yield engine
    engine.close()


@pytest.fixture
def info() -> Callable[..., EngineInfo]:
    """Return a function that makes an ``EngineInfo``, Docker 20.10 unless told otherwise."""

    def make(**changes: Any) -> EngineInfo:
        known: dict[str, Any] = {
            "name": "docker",
            "version": "20.10.24",
            "api_version": "1.41",
            "architecture": "x86_64",
            "storage_driver": "overlay2",
            "buildkit": True,
            "address": "unix:///var/run/docker.sock",
            "root": "/var/lib/docker",
            "cpus": 2,
            "memory": 1 << 30,
        }
        return EngineInfo(**{**known, **changes})

    return make

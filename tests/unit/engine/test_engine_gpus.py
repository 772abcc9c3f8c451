"""Which GPUs a container gets: the device request that the engine receives."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from freezer.engine.interface import RunOptions
from freezer.errors import EngineError

if TYPE_CHECKING:
    from freezer.engine.engine import DockerEngine
    from tests.support.host.engine_socket import FakeEngine

CAPABILITIES = [["gpu", "compute", "utility"]]


def requested(engine: DockerEngine, fake: FakeEngine, options: RunOptions) -> Any:
    fake.answers[("GET", "/images/x/json")] = (200, {"Id": "sha256:" + "a" * 64, "Config": {}})
    fake.answers[("GET", "/containers/json")] = (200, [])
    with pytest.raises(EngineError):  # the fake engine creates none
        engine.run("x", ["id"], options)
    [body] = [body for path, body in fake.bodies.items() if path.endswith("/containers/create")]
    return json.loads(body)["HostConfig"].get("DeviceRequests")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (RunOptions(), None),
        (RunOptions(gpu_positions=(1,)), None),
        (RunOptions(gpus=True), {"Count": -1, "DeviceIDs": []}),
        (RunOptions(gpus=True, gpu_positions=(0, 3)), {"Count": 0, "DeviceIDs": ["0", "3"]}),
    ],
)
def test_the_request_names_the_gpus_of_the_run(
    connected: DockerEngine, fake: FakeEngine, options: RunOptions, expected: dict[str, Any] | None
) -> None:
    found = requested(connected, fake, options)
    if expected is None:
        assert not found
        return
    [one] = found
    assert {key: one[key] for key in expected} == expected
    assert (one["Driver"], one["Capabilities"]) == ("nvidia", CAPABILITIES)

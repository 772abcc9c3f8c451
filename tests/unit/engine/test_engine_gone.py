"""An engine that leaves, refuses or stalls in the middle is reported, each time with a next step."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from freezer.engine.interface import LayerFile, RunOptions
from freezer.errors import BuildError, EngineError, FreezerError, HostError
from freezer.model.events import SilentReporter

if TYPE_CHECKING:
    from pathlib import Path

    from freezer.engine.engine import DockerEngine
    from tests.support.host.engine_socket import Answer, FakeEngine

IMAGE = {"Id": "sha256:" + "a" * 64, "RootFS": {"Layers": ["sha256:" + "b" * 64]}}


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def save(engine: DockerEngine, folder: Path) -> None:
    engine.save_layers("img", {"sha256:" + "b" * 64: folder / "layer"})


def build(engine: DockerEngine, folder: Path) -> None:
    context = folder / "context"
    context.mkdir()
    (context / "Dockerfile").write_text("FROM scratch\n")
    engine.build(context, report=SilentReporter())


def load(engine: DockerEngine, folder: Path) -> None:
    layer = folder / "layer.tar"
    layer.write_bytes(bytes(1024))
    diff_id = f"sha256:{hashlib.sha256(bytes(1024)).hexdigest()}"
    engine.load(b"{}", [LayerFile(diff_id, layer)])


CALLS: dict[str, Any] = {
    "image": lambda engine, folder: engine.image("x"),
    "images": lambda engine, folder: engine.images(),
    "pull": lambda engine, folder: engine.pull(
        "x@sha256:" + "0" * 64, platform="linux/amd64", report=SilentReporter()
    ),
    "tag": lambda engine, folder: engine.tag("x", "y", "z"),
    "remove": lambda engine, folder: engine.remove_image("x"),
    "save": save,
    "build": build,
    "load": load,
    "run": lambda engine, folder: engine.run("x", ["id"], RunOptions()),
}


@pytest.mark.parametrize("name", CALLS)
def test_hanging_up_is_an_engine_error_with_a_next_step(
    connected: DockerEngine, tmp_path: Path, name: str
) -> None:
    with pytest.raises(EngineError, match="went away") as raised:
        CALLS[name](connected, tmp_path)
    assert "freeze doctor" in str(raised.value.hint)


def test_a_stream_that_breaks_off_is_an_engine_error(
    connected: DockerEngine, fake: FakeEngine, tmp_path: Path
) -> None:
    fake.answers[("POST", "/build")] = (200, chunk(b'{"stream":"a"}\n') + b"40\r\n{")
    with pytest.raises(EngineError, match="went away while building"):
        build(connected, tmp_path)


def test_half_a_message_is_an_engine_error(
    connected: DockerEngine, fake: FakeEngine, tmp_path: Path
) -> None:
    fake.answers[("POST", "/build")] = (200, chunk(b'{"stream":') + chunk(b""))
    with pytest.raises(EngineError, match="went away while building"):
        build(connected, tmp_path)


def test_an_archive_that_breaks_off_leaves_nothing(
    connected: DockerEngine, fake: FakeEngine, tmp_path: Path
) -> None:
    fake.answers[("GET", "/get")] = (200, chunk(b"x" * 700) + chunk(b""))
    with pytest.raises(EngineError):
        save(connected, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["engine.sock"]


def test_a_build_that_ends_without_an_image_is_no_success(
    connected: DockerEngine, fake: FakeEngine, tmp_path: Path
) -> None:
    fake.answers[("POST", "/build")] = (200, chunk(b"{}\n") + chunk(b""))
    with pytest.raises(BuildError, match="without an image"):
        build(connected, tmp_path)


@pytest.mark.parametrize("name", CALLS)
def test_a_full_disk_names_the_data_root(
    connected: DockerEngine, fake: FakeEngine, tmp_path: Path, name: str
) -> None:
    said = {"message": "write /x: no space left on device"}
    for method in ("GET", "POST", "DELETE"):
        fake.answers[(method, "")] = (500, said)
    with pytest.raises(HostError, match="no space left") as raised:
        CALLS[name](connected, tmp_path)
    assert "/var/lib/docker" in str(raised.value.hint)


@pytest.mark.parametrize(
    "message",
    [{"error": "no space left on device"}, {"error": "failed: No space left on device: oh"}],
)
def test_a_disk_that_fills_up_in_a_build_is_no_build_error(
    connected: DockerEngine, fake: FakeEngine, tmp_path: Path, message: dict[str, str]
) -> None:
    fake.answers[("POST", "/build")] = (200, chunk(json.dumps(message).encode()) + chunk(b""))
    with pytest.raises(HostError, match="no space left"):
        build(connected, tmp_path)


def test_a_load_that_says_well_but_leaves_no_image_fails(
    connected: DockerEngine, fake: FakeEngine, tmp_path: Path
) -> None:
    """Docker 20.10 answers 200 and says what went wrong in the body."""
    fake.answers[("GET", "/images/json")] = (200, [])
    fake.answers[("GET", "/json")] = (404, {"message": "No such image"})
    body = chunk(b'{"error":"invalid diffID for layer 0"}\n') + chunk(b"")
    fake.answers[("POST", "/images/load")] = (200, body)
    with pytest.raises(EngineError) as raised:
        load(connected, tmp_path)
    assert raised.value.found == "invalid diffID for layer 0"


def test_a_stalling_engine_is_a_timeout(
    connected: DockerEngine, fake: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected._link.api._use()[0].timeout = 0.2
    monkeypatch.setattr(fake, "find", lambda method, path: __import__("time").sleep(0.6))
    with pytest.raises(EngineError, match="did not answer in time"):
        connected.image("x")


def test_a_pull_of_another_platform_is_refused(connected: DockerEngine, fake: FakeEngine) -> None:
    events = [
        {"id": "l", "status": "Downloading", "progressDetail": {"current": 5, "total": 9}},
        {"id": "l", "status": "Download complete"},
    ]
    body = b"".join(chunk(json.dumps(event).encode() + b"\r\n") for event in events)
    fake.answers[("POST", "/images/create")] = (200, body + chunk(b""))
    fake.answers[("GET", "/json")] = (200, {**IMAGE, "Os": "linux", "Architecture": "arm64"})
    with pytest.raises(EngineError, match="another platform") as raised:
        connected.pull("x@sha256:" + "0" * 64, platform="linux/amd64", report=SilentReporter())
    assert (raised.value.found, raised.value.expected) == ("linux/arm64", "linux/amd64")


def test_a_pull_that_fails_in_the_middle_says_why(
    connected: DockerEngine, fake: FakeEngine
) -> None:
    body = chunk(b'{"error":"manifest unknown"}\r\n') + chunk(b"")
    fake.answers[("POST", "/images/create")] = (200, body)
    with pytest.raises(FreezerError) as raised:
        connected.pull("x@sha256:" + "0" * 64, platform="linux/amd64", report=SilentReporter())
    assert raised.value.found == "manifest unknown"


def test_a_container_is_removed_although_its_start_failed(
    connected: DockerEngine, fake: FakeEngine
) -> None:
    fake.answers[("GET", "/containers/json")] = (200, [])
    fake.answers[("GET", "/images/x/json")] = (200, {"Config": None})
    fake.answers[("POST", "/containers/create")] = (201, {"Id": "c1"})
    with pytest.raises(EngineError):
        connected.run("x", ["id"], RunOptions())
    assert any(line.startswith("DELETE ") and line.endswith("/c1") for line in fake.asked)


def test_a_container_that_the_engine_still_uses_is_removed_a_little_later(
    connected: DockerEngine, fake: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("freezer.engine.run.run.REMOVAL_PAUSES", (0.01, 0.01, 0.01))
    fake.answers[("GET", "/containers/json")] = (200, [])
    fake.answers[("GET", "/images/x/json")] = (200, {"Config": None})
    fake.answers[("POST", "/containers/create")] = (201, {"Id": "c1"})
    fake.answers[("DELETE", "/c1")] = (500, {"message": "device or resource busy"})
    find = fake.find

    def freed(method: str, path: str) -> Answer | None:
        if fake.asked.count("DELETE /v1.41/containers/c1") == 2:
            fake.answers[("DELETE", "/c1")] = (404, {"message": "no such container"})
        return find(method, path)

    monkeypatch.setattr(fake, "find", freed)
    with pytest.raises(EngineError):
        connected.run("x", ["id"], RunOptions())
    assert fake.asked.count("DELETE /v1.41/containers/c1") == 3


def test_cpus_are_chosen_again_when_the_engine_is_pinned_itself(
    connected: DockerEngine, fake: FakeEngine
) -> None:
    refusal = "Requested CPUs are not available - requested 0, available: 6-7"
    fake.answers[("GET", "/containers/json")] = (200, [])
    fake.answers[("GET", "/images/x/json")] = (200, {"Config": None})
    fake.answers[("POST", "/containers/create")] = (400, {"message": refusal})
    with pytest.raises(EngineError):
        connected.run("x", ["id"], RunOptions(cpus=1))
    assert sum(line.endswith("/containers/create") for line in fake.asked) == 2

"""Plain questions over the engine's socket: what they save, and when the SDK asks again."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.engine.connect.connect import connect
from freezer.engine.connect.probe import speaks
from freezer.engine.direct import DirectSocket
from freezer.errors import EngineError

if TYPE_CHECKING:
    from pathlib import Path

    from freezer.engine.engine import DockerEngine
    from tests.support.host.engine_socket import FakeEngine

IMAGE: dict[str, Any] = {
    "Id": "sha256:" + "a" * 64,
    "RepoTags": ["x:latest"],
    "RootFS": {"Layers": ["sha256:" + "b" * 64]},
}


def sdk_was_used(engine: DockerEngine) -> bool:
    return engine._link.api._made is not None


def test_an_image_is_looked_up_without_the_sdk(connected: DockerEngine, fake: FakeEngine) -> None:
    fake.answers[("GET", "/images/x:latest/json")] = (200, IMAGE)
    found = connected.image("x:latest")
    assert found is not None
    assert (found.tags, found.diff_ids) == (("x:latest",), ("sha256:" + "b" * 64,))
    assert not sdk_was_used(connected)
    assert fake.asked == ["GET /version", "GET /info", "GET /v1.41/images/x:latest/json"]


def test_an_image_that_is_not_there_is_none(connected: DockerEngine, fake: FakeEngine) -> None:
    fake.answers[("GET", "/json")] = (404, {"message": "no such image"})
    assert connected.image("x") is None
    assert not sdk_was_used(connected)


@pytest.mark.parametrize(
    "answer",
    [
        (500, {"message": "broken"}),
        (301, {}),
        (200, ["no", "object"]),
        (200, {"RootFS": {}}),
        (200, b"2\r\n{}\r\n0\r\n\r\n"),
    ],
)
def test_what_is_not_plain_is_asked_again_by_the_sdk(
    connected: DockerEngine, fake: FakeEngine, answer: tuple[int, Any]
) -> None:
    fake.answers[("GET", "/json")] = answer
    with pytest.raises(EngineError, match="looking up the image x"):
        connected.image("x")
    assert sdk_was_used(connected)
    assert len([one for one in fake.asked if one.endswith("/images/x/json")]) >= 2


def test_headers_of_the_user_go_with_each_request(
    fake: FakeEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    (tmp_path / "config.json").write_text(json.dumps({"HttpHeaders": {"X-Who": "me"}}))
    engine = connect(fake.address)
    assert engine._link.direct is None
    engine.close()


@given(answer=st.binary(max_size=200), plain=st.booleans())
def test_any_answer_is_a_document_or_a_failure_that_is_caught(answer: bytes, plain: bool) -> None:
    door = DirectSocket("/nowhere", "1.41")
    head = b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" if plain else b""
    door._exchange = lambda _: head + answer  # type: ignore[method-assign]
    with suppress(OSError, ValueError):
        door.image("x")


@given(reference=st.text(max_size=40))
def test_a_reference_cannot_leave_its_line(reference: str) -> None:
    sent: list[bytes] = []

    def exchange(request: bytes) -> bytes:
        sent.append(request)
        return b"HTTP/1.0 404 Not Found\r\n\r\n"

    door = DirectSocket("/nowhere", "1.41")
    door._exchange = exchange  # type: ignore[method-assign]
    with suppress(ValueError):  # half of a surrogate pair
        assert door.image(reference) is None
    assert all(one.count(b"\r\n") == 3 and one.count(b" ") == 3 for one in sent)


@pytest.mark.parametrize(
    ("version", "plain"),
    [("1.41", True), ("1.24", True), ("1.12", False), ("", False), ("1.41\r\nX: y", False)],
)
def test_only_versions_that_the_sdk_takes_are_asked_without_it(version: str, plain: bool) -> None:
    assert speaks(version) is plain

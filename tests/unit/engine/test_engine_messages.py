"""What builders say becomes steps, output, a failure or an image."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.engine import wire
from freezer.engine.build import buildkit, classic
from freezer.engine.build.steps import KEPT, Built, Failure, Log, Output, Step, clean
from freezer.errors import BuildError
from freezer.model.events import SilentReporter, SilentTask


class Listener(SilentReporter):
    def __init__(self) -> None:
        self.heard: list[str] = []

    def debug(self, text: str) -> None:
        self.heard.append(text)


def field(number: int, value: bytes | int) -> bytes:
    """Encode one field as protocol buffers do: the other direction of what is tested."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(value: int) -> bytes:
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def vertex(digest: bytes, name: bytes, *, started: bool = True, error: bytes = b"") -> bytes:
    moment = field(1, 1_700_000_000) + field(2, 5)
    body = field(1, digest) + field(3, name)
    body += (field(5, moment) if started else b"") + (field(7, error) if error else b"")
    return field(1, body)


def traced(*parts: bytes) -> dict[str, Any]:
    return {"id": "moby.buildkit.trace", "aux": base64.b64encode(b"".join(parts)).decode()}


def log_of(digest: bytes, text: bytes) -> bytes:
    return field(3, field(1, digest) + field(3, 1) + field(4, text))


def test_buildkit_tells_steps_output_and_the_image() -> None:
    messages = [
        traced(vertex(b"d1", b"[1/2] FROM x", started=False)),
        traced(vertex(b"d2", b"[2/2] RUN y"), log_of(b"d2", b"hello\n")),
        {"id": "moby.image.id", "aux": {"ID": "sha256:1"}},
    ]
    assert list(buildkit.events(messages)) == [
        Step("d2", "[2/2] RUN y"),
        Output("d2", "hello\n"),
        Built("sha256:1"),
    ]


def test_a_buildkit_failure_shows_its_own_step_only() -> None:
    messages = [
        traced(vertex(b"a", b"RUN good"), vertex(b"b", b"RUN bad")),
        traced(log_of(b"b", b"why it fa"), log_of(b"a", b"noise\n"), log_of(b"b", b"iled\nlast")),
        traced(vertex(b"b", b"RUN bad", error=b"exit code: 1")),
        {"errorDetail": {"message": "failed to solve"}, "error": "failed to solve"},
    ]
    with pytest.raises(BuildError) as raised:
        Log(SilentReporter(), SilentTask()).follow(buildkit.events(messages))
    assert raised.value.what == "a build step failed: RUN bad"
    assert raised.value.details == ("why it failed", "last")
    assert raised.value.found == "failed to solve"


@given(st.binary(max_size=300))
def test_no_trace_can_break_a_build(data: bytes) -> None:
    for event in buildkit.trace(data):
        assert isinstance(event, Step | Output | Failure)


@given(st.lists(st.tuples(st.integers(1, 2**20), st.integers(0, 2**63) | st.binary(max_size=40))))
def test_what_was_encoded_is_read(items: list[tuple[int, int | bytes]]) -> None:
    assert list(buildkit.fields(b"".join(field(*item) for item in items))) == items


@pytest.mark.parametrize("data", [b"\x0a\x05ab", b"\x0b", b"\xff" * 12, b"\x09\x00"])
def test_what_is_no_protocol_buffer_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"protocol buffer|unterminated"):
        list(buildkit.fields(data))


def test_docker_s_classic_builder() -> None:
    messages = [
        {"stream": "Step 1/2 : FROM x"},
        {"stream": "\n"},
        {"stream": " ---> 0123456789ab\n"},
        {"stream": "Step 2/2 : RUN echo hi"},
        {"stream": " ---> Running in 0123456789ab\n"},
        {"stream": "hi\n"},
        {"stream": "Removing intermediate container 0123456789ab\n"},
        {"aux": {"ID": "sha256:2"}},
    ]
    found = list(classic.events(messages))
    assert [event for event in found if isinstance(event, Step)] == [
        Step("1", "FROM x"),
        Step("2", "RUN echo hi"),
    ]
    assert [event for event in found if isinstance(event, Output)] == [
        Output("1", "\n"),
        Output("2", "hi\n"),
    ]
    assert found[-1] == Built("sha256:2")


def test_podman_s_builder() -> None:
    digest = "ab" * 32
    messages = [
        {"stream": "STEP 1/2: FROM x\n"},
        {"stream": "STEP 2/2: RUN false\n"},
        {"stream": f"Successfully built {digest}\n"},
    ]
    assert list(classic.events(messages)) == [
        Step("1", "FROM x"),
        Step("2", "RUN false"),
        Built(digest),
    ]


def test_a_failure_before_any_step_points_at_the_dockerfile() -> None:
    with pytest.raises(BuildError, match="the build failed") as raised:
        Log(SilentReporter(), SilentTask()).follow([Failure("unknown instruction: FORM")])
    assert "Dockerfile" in str(raised.value.hint)


def test_only_the_end_of_a_long_output_is_kept_and_all_of_it_is_told() -> None:
    listener = Listener()
    lines = [Output("1", f"line {number}\n") for number in range(200)]
    with pytest.raises(BuildError) as raised:
        Log(listener, SilentTask()).follow([Step("1", "RUN x"), *lines, Failure("no", "1")])
    assert raised.value.details == tuple(f"line {number}" for number in range(200 - KEPT, 200))
    assert len(listener.heard) == 201


def test_a_step_that_is_announced_again_counts_once() -> None:
    listener = Listener()
    events = [Step("1", "RUN x"), Step("1", "RUN x"), Built("sha256:3")]
    assert Log(listener, SilentTask()).follow(events) == "sha256:3"
    assert listener.heard == ["RUN x"]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("\x1b[1;31mred\x1b[0m text", "red text"),
        ("10%\r50%\r100% done", "100% done"),
        ("100%\r", "100%"),
        ("bell\x07 and \x00nul", "bell and nul"),
    ],
)
def test_lines_are_shown_as_a_terminal_leaves_them(line: str, shown: str) -> None:
    assert clean(line) == shown


@given(st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=5)), max_size=6), st.data())
def test_messages_are_found_however_they_are_cut(
    documents: list[dict[str, str]], data: st.DataObject
) -> None:
    import json

    separator = data.draw(st.sampled_from(["\r\n", "\n", "", " "]))
    stream = separator.join(json.dumps(item, ensure_ascii=False) for item in documents).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=4)))
    chunks = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert list(wire.documents(chunks)) == documents


def test_half_a_message_is_a_broken_connection() -> None:
    with pytest.raises(ConnectionError):
        list(wire.documents([b'{"a": 1}\n{"b":']))

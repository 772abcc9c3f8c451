"""What a container writes: cut into frames by the engine, into lines here, by a deadline."""

from __future__ import annotations

import itertools
import socket
import struct
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.engine.run.output import Collected
from freezer.engine.wire import STDERR, STDOUT, Output
from freezer.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator


class Api:
    """The three private methods of the SDK that attaching uses."""

    def __init__(self, end: socket.socket) -> None:
        self.end = end

    def _url(self, form: str, name: str) -> str:
        return form.format(name)

    def _post(self, url: str, **_: object) -> socket.socket:
        assert url == "/containers/c1/attach"
        return self.end

    def _get_raw_response_socket(self, response: socket.socket) -> socket.socket:
        return response


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, Output]]:
    near, far = socket.socketpair()
    output = Output(Api(far), "c1")
    yield near, output
    near.close()
    output.close()


def frame(stream: int, data: bytes) -> bytes:
    return struct.pack(">BxxxL", stream, len(data)) + data


def soon() -> float:
    return time.monotonic() + 5


def test_frames_come_until_the_end(pair: tuple[socket.socket, Output]) -> None:
    near, output = pair
    near.sendall(frame(STDOUT, b"out") + frame(STDERR, b"err") + frame(STDOUT, b""))
    near.close()
    assert list(output.frames(soon())) == [(STDOUT, b"out"), (STDERR, b"err"), (STDOUT, b"")]


def test_a_deadline_passes_and_reading_goes_on_after_it(
    pair: tuple[socket.socket, Output],
) -> None:
    near, output = pair
    near.sendall(frame(STDOUT, b"whole")[:10])
    with pytest.raises(TimeoutError):
        list(output.frames(time.monotonic() + 0.05))
    near.sendall(frame(STDOUT, b"whole")[10:])
    near.close()
    assert list(output.frames(soon())) == [(STDOUT, b"whole")]


def test_a_frame_that_is_cut_off_ends_the_output(pair: tuple[socket.socket, Output]) -> None:
    near, output = pair
    near.sendall(frame(STDOUT, b"a") + frame(STDOUT, b"lost")[:9])
    near.close()
    assert list(output.frames(soon())) == [(STDOUT, b"a")]


@given(st.binary(max_size=60), st.lists(st.integers(0, 60), max_size=5))
def test_lines_do_not_depend_on_how_the_output_was_cut(data: bytes, cuts: list[int]) -> None:
    lines: list[bytes] = []
    collected = Collected(lines.append)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    for start, end in itertools.pairwise(edges):
        collected.add(STDOUT, data[start:end])
    stdout, stderr = collected.end()
    assert (stdout, stderr) == (data, b"")
    expected = data.split(b"\n")
    last = expected.pop()
    told = [line.removesuffix(b"\r") for line in expected] + ([last] if last else [])
    assert lines == told


def test_stderr_is_kept_apart_and_not_told() -> None:
    lines: list[bytes] = []
    collected = Collected(lines.append)
    collected.add(STDERR, b"warning\n")
    collected.add(STDOUT, b"number\n")
    assert collected.end() == (b"number\n", b"warning\n")
    assert lines == [b"number"]


def test_endless_output_is_stopped() -> None:
    collected = Collected(limit=1 << 20)
    collected.add(STDOUT, bytes(1 << 20))
    with pytest.raises(EngineError, match="more than 1 MiB"):
        collected.add(STDERR, b"!")

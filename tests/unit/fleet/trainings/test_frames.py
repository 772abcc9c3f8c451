"""Captured output is read as it was written, in whatever pieces, and up to what is no frame."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.fleet.trainings.frames import Frame, FrameReader
from freezer.inside.freezer_host.capture import HEADER, LONGEST, Capture
from freezer.model.record.run import LATEST
from tests.support.cluster.trainings import frames

BLOCKS = st.lists(st.tuples(st.sampled_from((1, 2)), st.binary(max_size=50)), max_size=8)


def all_of(reader: FrameReader) -> list[tuple[int, bytes]]:
    return [(one.stream, one.data) for one in reader.frames()]


@given(BLOCKS, st.lists(st.integers(0, 400), max_size=6))
def test_frames_are_read_in_whatever_pieces_they_appear(
    blocks: list[tuple[int, bytes]], cuts: list[int]
) -> None:
    data = frames(*blocks)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "output"
        reader, found = FrameReader(path), []
        assert all_of(reader) == []  # it is not there yet
        for cut in [*sorted(cuts), len(data)]:
            path.write_bytes(data[:cut])
            found += all_of(reader)
    assert found == blocks
    assert (reader.size, reader.damaged) == (len(data), False)


@given(BLOCKS, st.integers(1, 30))
def test_a_frame_that_was_cut_short_is_not_read(blocks: list[tuple[int, bytes]], cut: int) -> None:
    data = frames(*blocks, (1, b"last"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "output"
        path.write_bytes(data[: max(len(frames(*blocks)), len(data) - min(cut, 16))])
        reader = FrameReader(path)
        assert all_of(reader) == blocks


@pytest.mark.parametrize(
    "header",
    [HEADER.pack(3, 1, 4), HEADER.pack(0, 1, 4), HEADER.pack(1, 1, LONGEST + 1),
     HEADER.pack(1, 1 << 63, 4), HEADER.pack(1, LATEST + 1, 4)],
)  # fmt: skip
def test_what_is_no_frame_ends_the_reading(tmp_path: Path, header: bytes) -> None:
    path = tmp_path / "output"
    path.write_bytes(frames((1, b"a")) + header + b"more" + frames((2, b"b")))
    reader = FrameReader(path)
    assert all_of(reader) == [(1, b"a")]
    assert reader.damaged
    assert all_of(reader) == []


def test_a_capture_is_what_is_read_with_times_and_digest(tmp_path: Path) -> None:
    path = tmp_path / "output"
    capture = Capture(str(path))
    capture.add(1, b"x" * (LONGEST + 1))
    capture.add(2, b"err")
    capture.close()
    reader = FrameReader(path)
    found: list[Frame] = list(reader.frames())
    assert [len(one.data) for one in found] == [LONGEST, 1, 3]
    assert found[0].micros <= found[2].micros
    assert capture.document() == {"bytes": reader.size, "sha256": reader.sha256, "lost": 0}


@given(st.lists(st.sampled_from([b"planted", b"pla", b"nted", b"\n", b"word "]), max_size=20))
def test_a_secret_is_in_no_captured_output_however_it_is_printed(parts: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "output"
        capture = Capture(str(path), ["planted"])
        for part in parts:
            capture.add(1, part)
        capture.close()
        shown = b"".join(one.data for one in FrameReader(path).frames())
    assert shown == b"".join(parts).replace(b"planted", b"***")


def test_a_file_that_grows_as_fast_as_it_is_read_has_an_end(tmp_path: Path) -> None:
    path = tmp_path / "output"
    path.write_bytes(frames((1, b"a"), (1, b"b")))
    reader, seen = FrameReader(path), []
    for frame in reader.frames():
        seen.append(frame.data)
        with path.open("ab") as stream:
            stream.write(frames((1, b"more")))
        assert len(seen) < 5
    assert seen == [b"a", b"b"]
    assert [one.data for one in reader.frames()] == [b"more", b"more"]


def test_a_file_that_is_cut_below_what_was_read_has_no_more_frames(tmp_path: Path) -> None:
    path = tmp_path / "output"
    path.write_bytes(frames((1, b"a"), (1, b"b")))
    reader = FrameReader(path)
    assert len(all_of(reader)) == 2
    path.write_bytes(frames((2, b"c")))
    assert all_of(reader) == []


SECRETS = ("abcd1", "abcd1efgh2", "first-line\nsecond-line\n", "xy")


@given(st.lists(st.integers(1, 12), min_size=1, max_size=20))
def test_secrets_are_hidden_in_whatever_pieces_they_are_printed(lengths: list[int]) -> None:
    data = f"a {SECRETS[1]} b {SECRETS[0]} c\n{SECRETS[2]}end {SECRETS[1]}".encode()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "output"
        capture, start = Capture(str(path), SECRETS), 0
        for length in lengths:
            capture.add(1, data[start : start + length])
            start += length
        capture.add(1, data[start:])
        capture.close()
        printed = b"".join(one.data for one in FrameReader(path).frames())
    assert printed == b"a *** b *** c\n***\n***\nend ***"

"""Reading an archive in parts."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.errors import FetchError
from freezer.fetch.http.client import RangeUnsupportedError
from freezer.fetch.http.remote_zip import RangeFile
from tests.support.python.indexes import serve, wheel


class Recorder:
    """Serves ranges of some bytes, and keeps what was asked."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.asked: list[tuple[int, int]] = []

    def __call__(self, url: str, start: int, end: int) -> bytes:
        self.asked.append((start, end))
        return self.data[start:end]


@given(
    st.binary(min_size=1, max_size=400),
    st.lists(st.tuples(st.integers(0, 500), st.integers(0, 200)), max_size=8),
)
def test_any_reading_is_that_of_the_file(data: bytes, reads: list[tuple[int, int]]) -> None:
    remote, local = RangeFile("u", len(data), Recorder(data)), io.BytesIO(data)
    with remote:
        for position, size in reads:
            assert remote.seek(position) == local.seek(position)
            assert remote.read(size) == local.read(size)


def test_seeking_asks_for_nothing() -> None:
    recorder = Recorder(b"x" * 100)
    with RangeFile("u", 100, recorder) as remote:
        assert remote.seek(-10, io.SEEK_END) == 90
        assert remote.seek(5, io.SEEK_CUR) == 95
        assert remote.tell() == 95
        assert remote.readable()
        assert remote.seekable()
    assert recorder.asked == []


def test_a_list_of_members_takes_one_request_and_a_member_one_more() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("big", bytes(4 << 20))
        archive.writestr("small", b"found")
    recorder = Recorder(target.getvalue())
    size = len(recorder.data)
    with RangeFile("u", size, recorder) as remote, zipfile.ZipFile(remote) as archive:
        assert archive.namelist() == ["big", "small"]
        assert recorder.asked == [(size - (1 << 17), size)]
        assert archive.read("small") == b"found"
    assert sum(end - start for start, end in recorder.asked) < 1 << 18


def test_over_http() -> None:
    with serve() as index:
        file = index.add("a", members={"a/data.txt": b"here"})
        url = f"{index.url}/files/{file.name}"
        with RangeFile(url, len(file.data)) as remote, zipfile.ZipFile(remote) as archive:
            assert archive.read("a/data.txt") == b"here"
        assert all(span for _, span in index.requests)


def test_a_server_without_ranges_is_told_apart() -> None:
    with serve() as index:
        index.ranges = False
        file = index.add("a")
        with (
            RangeFile(f"{index.url}/files/{file.name}", len(file.data)) as remote,
            pytest.raises(RangeUnsupportedError),
        ):
            remote.read(10)


def test_a_file_on_this_machine(tmp_path: Path) -> None:
    data = wheel("a")
    (tmp_path / "a.whl").write_bytes(data)
    url = (tmp_path / "a.whl").as_uri()
    with RangeFile(url, len(data)) as remote, zipfile.ZipFile(remote) as archive:
        assert "a.py" in archive.namelist()


def test_a_failure_is_the_servers(tmp_path: Path) -> None:
    with (
        RangeFile((tmp_path / "gone.whl").as_uri(), 10) as remote,
        pytest.raises(FetchError, match="does not exist"),
    ):
        remote.read(1)

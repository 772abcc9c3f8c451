"""The index that Freezer serves to a resolver on this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from freezer.errors import FetchError, IntegrityError
from freezer.fetch.python.simple_api import IndexFile
from freezer.resolve.python.index.dated import DatedIndex
from freezer.resolve.python.index.local_server import LocalIndex, read_metadata, serving
from tests.support.project.asking import request
from tests.support.python.indexes import FakeIndex, serve, sha256


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    with serve() as served:
        yield served


def dated(index: FakeIndex, *, undated: bool = False) -> DatedIndex:
    return DatedIndex(
        request(index.with_credentials() if index.password else index.simple), undated=undated
    )


def read(url: str) -> bytes:
    with urlopen(url) as answer:
        return bytes(answer.read())


def test_pages_files_and_metadata(index: FakeIndex) -> None:
    index.password = "hunter2"
    file = index.add("a", "1.0+local", ["b"], requires_python=">=3.9")
    with serving(dated(index)) as (address, loopback):
        page = json.loads(read(f"{address}a/"))
        (entry,) = page["files"]
        assert entry["hashes"] == {"sha256": sha256(file.data)}
        assert entry["requires-python"] == ">=3.9"
        assert "hunter2" not in json.dumps(page)
        base = address.partition("/simple/")[0].rpartition("/")[0]
        assert read(base + entry["url"]) == file.data
        assert b"Requires-Dist: b" in read(f"{base}{entry['url']}.metadata")
    assert loopback.failure is None


def test_nobody_without_the_word_is_answered(index: FakeIndex) -> None:
    index.add("a")
    with serving(dated(index)) as (address, loopback):
        for wrong in ("", "x" * len(loopback.word), "é"):
            other = address.replace(loopback.word, wrong.encode().hex())
            with pytest.raises(HTTPError, match="404"):
                read(f"{other}a/")
    assert index.requests == []


def test_only_listed_files_are_served(index: FakeIndex) -> None:
    index.add("a")
    index.add("a", "2", uploaded="2026-07-01T00:00:00.000000Z")
    with serving(dated(index)) as (address, _):
        base = address.replace("/simple/", "/file/")
        for path in ("a/a-2-py3-none-any.whl", "a/../../etc/passwd", "a/", "a/nonesuch.whl"):
            with pytest.raises(HTTPError, match="404"):
                read(base + path)


def test_the_first_failure_of_a_real_index_is_kept(index: FakeIndex) -> None:
    index.add("a")
    index.broken = True
    with serving(dated(index)) as (address, loopback):
        with pytest.raises(HTTPError, match="502"):
            read(f"{address}a/")
        assert isinstance(loopback.failure, FetchError)
        assert "is not a Python package index" in loopback.failure.what


def test_it_is_gone_when_the_block_ends(index: FakeIndex) -> None:
    with serving(dated(index)) as (address, _):
        pass
    with pytest.raises(OSError, match="refused"):
        read(f"{address}a/")


def test_metadata_that_is_not_what_the_index_lists(index: FakeIndex) -> None:
    file = index.add("a")
    url = f"{index.url}/files/{file.name}"
    loopback = LocalIndex(dated(index))
    with pytest.raises(IntegrityError, match="does not have the hash that the index lists"):
        loopback.metadata(IndexFile(file.name, url, metadata="0" * 64))
    assert loopback.metadata(IndexFile(file.name, url, metadata=""))


def test_metadata_out_of_something_that_is_no_wheel(index: FakeIndex) -> None:
    file = index.add("a")
    file.data = b"junk" * 200
    with pytest.raises(FetchError, match="is not a readable wheel"):
        read_metadata(IndexFile(file.name, f"{index.url}/files/{file.name}", size=800))


def test_undated_files_are_skipped_and_remembered(index: FakeIndex) -> None:
    index.add("a", "1")
    index.add("a", "2", uploaded=None)
    strict = dated(index)
    assert [file.name for file in strict.files("a")] == ["a-1-py3-none-any.whl"]
    assert strict.skipped == ["a-2-py3-none-any.whl"]
    assert len(dated(index, undated=True).files("a")) == 2
    assert strict.files("nonesuch") == []

"""Pages of links in all their forms, and the indexes that serve them."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.errors import FetchError, IntegrityError
from freezer.fetch.http.client import NotFoundError
from freezer.fetch.python.filenames import name_and_version, project_of, version_of
from freezer.fetch.python.index import PythonIndex
from freezer.fetch.python.settings import Indexes
from freezer.fetch.python.simple_api import (
    IndexFile,
    page_files,
    parse_html,
    parse_json,
    project_files,
)
from freezer.model.artifact import Artifact
from tests.support.python.indexes import serve, sha256

URL = "https://h/simple/a/"
FILE = "a-1.0-py3-none-any.whl"
HASH = "0" * 64


def test_html_with_all_that_it_may_say() -> None:
    page = (
        f'<a href="../../f/{FILE}#sha256={HASH.upper()}" data-requires-python="&gt;=3.9" '
        f'data-yanked="bad &amp; old" data-core-metadata="sha256={"1" * 64}">x</a>'
        '<a href="../../f/a-2-py3-none-any.whl" data-yanked data-dist-info-metadata="true">x</a>'
        '<a href="notes.html">x</a><a>x</a>'
    )
    assert parse_html(page.encode(), URL) == [
        IndexFile(
            FILE,
            f"https://h/f/{FILE}",
            HASH,
            yanked="bad & old",
            requires_python=">=3.9",
            metadata="1" * 64,
        ),
        IndexFile(
            "a-2-py3-none-any.whl", "https://h/f/a-2-py3-none-any.whl", yanked="", metadata=""
        ),
    ]


def test_a_base_address_and_escaped_names() -> None:
    page = '<base href="https://cdn/x/"><a href="t-1%2Bcpu-py3-none-any.whl#md5=0">t</a>'
    assert parse_html(page.encode(), URL) == [
        IndexFile("t-1+cpu-py3-none-any.whl", "https://cdn/x/t-1%2Bcpu-py3-none-any.whl")
    ]


def test_json_with_all_that_it_may_say() -> None:
    page = (
        b'{"files": [{"filename": "%s", "url": "../../f/x", "hashes": {"sha256": "ab"}, '
        b'"size": 7, "upload-time": "2026-01-01T00:00:00Z", "requires-python": ">=3.9", '
        b'"core-metadata": {"sha256": "cd"}, "yanked": "why"}, '
        b'{"filename": "b.whl", "url": "/b", "yanked": true, "core-metadata": true},'
        b'{"filename": "c.whl", "url": "/c", "yanked": false, "core-metadata": false}]}'
    ) % FILE.encode()
    first, second, third = parse_json(page, URL)
    assert first == IndexFile(
        FILE, "https://h/f/x", "ab", 7, "why", "2026-01-01T00:00:00Z", ">=3.9", "cd"
    )
    assert (second.yanked, second.metadata, second.sha256) == ("", "", None)
    assert (third.yanked, third.metadata) == (None, None)


@pytest.mark.parametrize(
    "page", [b"{", b'{"files": 1}', b'{"files": [{"url": "x"}]}', b'{"files": [1]}', b"{}"]
)
def test_json_that_is_no_page(page: bytes) -> None:
    with pytest.raises(FetchError, match="is not a Python package index") as caught:
        parse_json(page, "https://me:hunter2@h/simple/a/")
    assert "hunter2" not in str(caught.value)


@given(st.binary(max_size=200))
def test_no_bytes_make_html_fail_in_another_way(page: bytes) -> None:
    assert isinstance(parse_html(page, URL), list)


def test_a_folder_holds_files_not_folders(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"x")
    (tmp_path / "notes.txt").write_bytes(b"x")
    (tmp_path / "sub.whl").mkdir()
    assert page_files(tmp_path.as_uri()) == [IndexFile(FILE, (tmp_path / FILE).as_uri(), size=1)]


def test_a_folder_as_a_simple_index(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "index.html").write_text(f'<a href="../{FILE}#sha256={HASH}">x</a>')
    found = project_files(tmp_path.as_uri(), "a")
    assert found == [IndexFile(FILE, (tmp_path / FILE).as_uri(), HASH)]
    with pytest.raises(NotFoundError):
        project_files(tmp_path.as_uri(), "b")


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("My_Pkg-1.0-py3-none-any.whl", ("my-pkg", "1.0")),
        ("my.pkg-1.0.tar.gz", ("my-pkg", "1.0")),
        ("t-2.0+cpu-cp311-cp311-linux_x86_64.whl", ("t", "2.0+cpu")),
        ("nonsense.whl", None),
        ("nonsense", None),
        ("a-b-c.tar.gz", None),
    ],
)
def test_names_of_files(file: str, expected: tuple[str, str] | None) -> None:
    found = name_and_version(file)
    assert (found and (found[0], str(found[1]))) == expected
    assert project_of(file) == (expected and expected[0])
    assert (version_of(file) is None) == (expected is None)


# The source of artifacts


def artifact(name: str = FILE, digest: str = HASH) -> Artifact:
    return Artifact(source="pypi", file=name, size=1, sha256=digest)


def test_folders_are_asked_before_servers(tmp_path: Path) -> None:
    with serve() as index:
        file = index.add("a")
        (tmp_path / file.name).write_bytes(file.data)
        source = PythonIndex(Indexes(index.simple, find_links=(tmp_path.as_uri(),)))
        found = iter(source.locate(artifact(file.name, sha256(file.data))))
        assert next(found).url == (tmp_path / file.name).as_uri()
        assert index.requests == []
        assert next(found).url == f"{index.simple}/a/../../files/{file.name}".replace(
            "/simple/a/../..", ""
        )


def test_a_file_with_another_hash_is_never_offered() -> None:
    with serve() as index:
        index.add("a")
        with pytest.raises(IntegrityError, match="listed with another hash") as caught:
            list(PythonIndex(Indexes(index.simple)).locate(artifact()))
    assert caught.value.expected == f"sha256 {HASH}"


def test_a_second_index_makes_up_for_a_lying_first() -> None:
    with serve() as lying, serve() as honest:
        file = honest.add("a")
        lying.add("a", lie="1" * 64)
        source = PythonIndex(Indexes(honest.simple, (lying.simple,)))
        found = list(source.locate(artifact(file.name, sha256(file.data))))
        assert [location.url for location in found] == [f"{honest.url}/files/{file.name}"]


def test_an_index_that_has_nothing_is_no_failure() -> None:
    with serve() as index:
        assert list(PythonIndex(Indexes(index.simple)).locate(artifact())) == []
        assert list(PythonIndex(Indexes(index.simple)).files("a")) == []


def test_a_failing_index_is_one_only_when_no_other_has_the_file() -> None:
    with serve() as index, serve() as failing:
        failing.broken = True
        failing.add("a")
        file = index.add("a")
        wanted = artifact(file.name, sha256(file.data))
        assert list(PythonIndex(Indexes(index.simple, (failing.simple,))).locate(wanted))
        with pytest.raises(FetchError, match="is not a Python package index"):
            list(PythonIndex(Indexes(failing.simple)).locate(wanted))


def test_a_page_is_read_once_by_many_threads() -> None:
    with serve() as index:
        file = index.add("a")
        source = PythonIndex(Indexes(index.simple))
        wanted = artifact(file.name, sha256(file.data))
        threads = [threading.Thread(target=lambda: list(source.locate(wanted))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(index.requests) == 1


def test_a_name_that_is_no_packages_file_is_refused() -> None:
    with pytest.raises(IntegrityError, match="is not the name of a Python package's file"):
        list(PythonIndex(Indexes("http://127.0.0.1:9/simple")).locate(artifact("nonsense.whl")))


def test_only_what_comes_from_an_index_is_served() -> None:
    source = PythonIndex(Indexes(None))
    assert source.serves(artifact())
    assert not source.serves(artifact().model_copy(update={"source": "url"}))

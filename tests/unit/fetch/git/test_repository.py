"""git repositories on the loopback interface: commits pinned, trees packed the same every time."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from freezer.errors import FetchError
from freezer.fetch.git.repository import checkout, pin_commit
from freezer.fetch.store.store import Store
from tests.support.host.gitserver import GitServer, git, serve_git

pytestmark = pytest.mark.process


@pytest.fixture(params=["smart", "plain files"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[GitServer]:
    (tmp_path / "served").mkdir()
    with serve_git(tmp_path / "served", smart=request.param == "smart") as made:
        yield made


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


FILES = {"pyproject.toml": "[project]\n", "src/a.py": "x = 1\n", "ü.txt": "y"}


def test_revisions_are_pinned_to_commits(server: GitServer) -> None:
    first = server.commit("x", FILES)
    work = server.folder / "x.git"
    git(work, "tag", "v1")
    git(work, "tag", "-a", "v1a", "-m", "x")
    git(work, "checkout", "-q", "-b", "side/way")
    second = server.commit("x", {"more": "1"})
    git(work, "checkout", "-q", "main")
    server.published("x")
    url = server.address("x")
    wanted = {
        None: first,
        "main": first,
        "v1": first,
        "v1a": first,
        "side/way": second,
        first: first,
    }
    for revision, commit in wanted.items():
        assert pin_commit(url, revision) == commit, revision
    for revision in ("nonesuch", first[:12], "-x"):
        with pytest.raises(FetchError, match=r"has no|cannot be read"):
            pin_commit(url, revision)


def test_a_commit_is_packed_the_same_every_time(server: GitServer, store: Store) -> None:
    commit = server.commit("x", FILES)
    work = server.folder / "x.git"
    (work / "run.sh").write_text("#!/bin/sh\n")
    (work / "run.sh").chmod(0o755)
    (work / "src" / "link").symlink_to("../pyproject.toml")
    commit = server.commit("x", {})
    server.commit("x", {"later": "1"})
    packed = []
    for _ in range(2):
        with checkout(server.address("x"), commit, store) as tree:
            assert tree.text("src/a.py") == b"x = 1\n"
            assert tree.text("later") is None
            packed.append(tree.pack(store, "x-1"))
    assert packed[0] == packed[1]
    with tarfile.open(store.verified(packed[0][0])) as archive:
        found = {member.name: member for member in archive}
    assert set(found) == {f"x-1/{name}" for name in (*FILES, "run.sh", "src/link")}
    assert found["x-1/run.sh"].mode == 0o755
    assert found["x-1/src/link"].linkname == "../pyproject.toml"
    assert {(m.mtime, m.uid, m.uname) for m in found.values()} == {(0, 0, "")}


def test_a_repository_out_of_reach_is_refused(server: GitServer, store: Store) -> None:
    commit = server.commit("x", FILES)
    server.down = True
    with pytest.raises(FetchError, match="cannot be read"):
        pin_commit(server.address("x"), "main")
    with pytest.raises(FetchError), checkout(server.address("x"), commit, store):
        pass
    with pytest.raises(FetchError), checkout(server.address("gone"), "1" * 40, store):
        pass


def test_a_commit_that_is_not_there_is_refused(server: GitServer, store: Store) -> None:
    server.commit("x", FILES)
    with pytest.raises(FetchError), checkout(server.address("x"), "1" * 40, store):
        pass


@pytest.mark.parametrize("target", ["/etc/passwd", "../../out", "a/../../../out"])
def test_links_that_lead_out_are_refused(server: GitServer, store: Store, target: str) -> None:
    server.commit("x", FILES)
    (server.folder / "x.git" / "src" / "bad").symlink_to(target)
    commit = server.commit("x", {})
    with (
        checkout(server.address("x"), commit, store) as tree,
        pytest.raises(FetchError, match="cannot be packed") as caught,
    ):
        tree.pack(store, "x")
    assert "leads out" in str(caught.value.found)


def test_submodules_are_refused(server: GitServer, store: Store) -> None:
    server.commit("x", FILES)
    server.commit("y", FILES)
    git(server.folder / "x.git", "submodule", "-q", "add", str(server.folder / "y.git"), "sub")
    commit = server.commit("x", {})
    with (
        checkout(server.address("x"), commit, store) as tree,
        pytest.raises(FetchError) as caught,
    ):
        tree.pack(store, "x")
    assert "submodule" in str(caught.value.found)


def test_a_password_is_neither_shown_nor_an_argument(server: GitServer) -> None:
    server.down = True
    url = server.address("x").replace("://", "://me:hunter2@")
    with pytest.raises(FetchError) as caught:
        pin_commit(url, "main")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("url", ["ext::sh -c touch%20pwned", "file:///etc", "ssh://h.example/x"])
def test_only_http_is_spoken(url: str) -> None:
    with pytest.raises(FetchError):
        pin_commit(url, "main")


def test_a_commit_is_described_by_the_version_tag_before_it(
    server: GitServer, store: Store
) -> None:
    first = server.commit("x", FILES)
    work = server.folder / "x.git"
    with checkout(server.address("x"), first, store) as tree:
        assert tree.describe() is None
        assert tree.archival(None).decode() == (
            f"node: {first}\nnode-date: 2026-01-01T00:00:00+00:00\n"
        )
    git(work, "tag", "v1.2")
    git(work, "tag", "latest")  # no version
    second = server.commit("x", {"more": "1"})
    for commit, name in ((first, "v1.2"), (second, f"v1.2-1-g{second[:7]}")):
        with checkout(server.address("x"), commit, store) as tree:
            assert tree.describe() == name
            assert tree.archival(name).decode().endswith(f"describe-name: {name}\n")


def test_files_of_a_packed_commit_are_replaced_and_added(server: GitServer, store: Store) -> None:
    commit = server.commit("x", FILES)
    with checkout(server.address("x"), commit, store) as tree:
        sha256, _ = tree.pack(store, "top", {"src/a.py": b"other", "new": b"n"})
    with tarfile.open(store.verified(sha256)) as archive:
        members = archive.getmembers()
        contents = {one.name: archive.extractfile(one).read() for one in members}  # type: ignore[union-attr]
    assert len(members) == len(contents) == 4
    assert contents["top/src/a.py"] == b"other"
    assert contents["top/new"] == b"n"
    assert contents["top/pyproject.toml"] == b"[project]\n"


def test_pointers_to_large_files_are_found(server: GitServer, store: Store) -> None:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 9\n"
    for files, found in (
        (FILES, []),
        ({"model/ä b.bin": pointer, "x.txt": "of LFS"}, ["model/ä b.bin"]),
    ):
        commit = server.commit("x", files)
        with checkout(server.address("x"), commit, store) as tree:
            assert tree.pointers() == found

"""The state of a data set: read once, again only where something changed, and never trusted blindly."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from freezer.data import cache, hashing
from freezer.data import walk as walking
from freezer.data.diff import data_diff
from freezer.data.entry import NUMBERS, Found, Member, Stat, signed_64
from freezer.data.fork import forked
from freezer.data.snapshot import Snapshot, members_of, snapshot
from freezer.data.walk import walk
from freezer.errors import DataError, IntegrityError
from freezer.fetch.store.store import Store
from freezer.model.events import SilentReporter, SilentTask

OLD = time.time() - 100


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A set of 60 files; the clock of the cache is ahead, so that they count as old."""
    monkeypatch.setattr(cache, "SLACK", -(10**12))
    folder = tmp_path / "set"
    for number in range(60):
        path = folder / f"c{number % 3}" / f"{number:02}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes([number]) * number * 700)
    (folder / "empty").mkdir()
    (folder / "c0" / "link").symlink_to("../c1/01.bin")
    return folder


def take(root: Path, store: Store, pattern: str | None = None, **how: bool) -> Snapshot:
    return snapshot("demo", root, pattern, store=store, report=SilentReporter(), **how)


@pytest.mark.process
def test_only_what_changed_is_read_again(root: Path, store: Store) -> None:
    first = take(root, store)
    assert (first.hashed, first.members) == (60, 62)
    assert take(root, store).hashed == 0
    (root / "c1" / "01.bin").write_bytes(b"other")
    second = take(root, store)
    assert (second.hashed, second.digest != first.digest) == (1, True)
    diff = data_diff(members_of(first, store), members_of(second, store))
    assert [new.path for _, new in diff.changed] == ["c1/01.bin"]
    assert take(root, store).digest == second.digest


@pytest.mark.process
def test_a_copy_elsewhere_has_the_same_digest(root: Path, store: Store, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere"
    os.system(f"cp -r {root} {other} && touch -d 2001-01-01 {other}/c0/*")
    assert take(other, store).digest == take(root, store).digest


@pytest.mark.process
def test_times_that_were_set_back_hide_nothing(root: Path, store: Store) -> None:
    path = root / "c1" / "01.bin"
    before, first = path.stat(), take(root, store)
    path.write_bytes(b"x" * before.st_size)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert take(root, store).digest != first.digest


@pytest.mark.process
def test_a_file_changed_just_before_it_was_hashed_is_not_trusted(
    root: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "SLACK", 2_000_000_000)
    assert take(root, store).hashed == 60
    assert take(root, store).hashed == 60, "each is younger than any clock is coarse"


@pytest.mark.process
def test_everything_is_read_again_when_that_is_wanted(root: Path, store: Store) -> None:
    first = take(root, store)
    assert take(root, store, reread=True) == first


@pytest.mark.process
def test_workers_and_this_process_agree(root: Path) -> None:
    found = walk(root, None, "demo")
    files = [
        Stat(path, "f", size, 0, 0, 0)
        for at, (path, size) in enumerate(zip(found.paths, found.sizes, strict=True))
        if at not in found.others
    ]
    several = hashing.hash_files(root, files, SilentTask(), name="demo", workers=2)
    single = {
        key: value
        for one in files
        for key, value in hashing.hash_files(root, [one], SilentTask(), name="demo").items()
    }
    assert several == single


@pytest.mark.process
def test_a_set_may_be_one_file_or_a_glob(root: Path, store: Store) -> None:
    import hashlib

    path = root / "c2" / "02.bin"
    assert take(path, store).digest[7:] == hashlib.sha256(path.read_bytes()).hexdigest()
    some = take(root, store, "c2/*.bin")
    assert some.members == 20
    with pytest.raises(DataError, match="no file of data set 'demo' matches"):
        take(root, store, "*.csv")


def _pipe(root: Path) -> None:
    os.mkfifo(root / "c0" / "pipe")


def _outside(root: Path) -> None:
    (root / "c0" / "out").symlink_to("../../other")


def _absolute(root: Path) -> None:
    (root / "c0" / "out").symlink_to("/etc/hostname")


def _bytes(root: Path) -> None:
    (root / "c0" / os.fsdecode(b"\xff")).write_bytes(b"")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (_pipe, "neither file nor folder"),
        (_outside, "leads out of data set"),
        (_absolute, "leads out of data set"),
        (_bytes, "not UTF-8"),
    ],
)
def test_what_no_container_could_have_is_refused(root, store, make, says) -> None:
    make(root)
    with pytest.raises(DataError, match=says):
        take(root, store)


def test_what_is_not_there_is_named(tmp_path: Path, store: Store) -> None:
    with pytest.raises(DataError, match="does not exist"):
        take(tmp_path / "none", store)


def test_a_file_that_changes_while_it_is_read_is_named(
    root: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from freezer.data import worker

    real = worker.hash_open

    def slow(handle: int, size: int) -> str:
        found = real(handle, size)
        (root / "c0" / "00.bin").write_bytes(b"more")
        return found

    monkeypatch.setattr(worker, "hash_open", slow)
    with pytest.raises(DataError, match="changed while it was being read"):
        take(root / "c0" / "00.bin", store)


@pytest.mark.process
@pytest.mark.parametrize(
    "data", [b"", b"null", b"[]", b'{"format": 1}', b'{"format": 1, "files": {"a": 3}}']
)
def test_a_spoiled_cache_counts_as_none(root: Path, store: Store, data: bytes) -> None:
    first = take(root, store)
    for path in (store.root / "memos").rglob("*"):
        if path.is_file():
            path.write_bytes(data)
    assert take(root, store) == first


@pytest.mark.process
def test_an_edited_list_is_noticed(root: Path, store: Store) -> None:
    first = take(root, store)
    path = store.path(first.listing)
    path.chmod(0o644)
    path.write_bytes(b"x")
    with pytest.raises(IntegrityError):
        members_of(first, store)


def member(path: str, content: str) -> Member:
    return Member(path, "f", len(content), content.ljust(64, "0"))


def test_moves_are_told_from_what_came_and_went() -> None:
    old = [member("a/x", "1"), member("b", "22"), member("c", "333"), member("gone", "4")]
    new = [member("a/x", "1"), member("d/b", "22"), member("c", "33"), member("new", "5")]
    diff = data_diff(old, new)
    assert [(one.path, two.path) for one, two in diff.moved] == [("b", "d/b")]
    assert [one.path for one in diff.added] == ["new"]
    assert [one.path for one in diff.removed] == ["gone"]
    assert [one.path for one, _ in diff.changed] == ["c"]
    assert (diff.same, diff.empty) == (1, False)
    assert data_diff(old, old).empty


def test_of_equal_files_the_one_that_kept_its_name_was_moved() -> None:
    old = [member("p/label.txt", "1"), member("p/other.txt", "1")]
    new = [member("q/label.txt", "1"), member("q/other.txt", "1")]
    pairs = {(one.path, two.path) for one, two in data_diff(old, new).moved}
    assert pairs == {("p/label.txt", "q/label.txt"), ("p/other.txt", "q/other.txt")}


def test_inodes_beyond_signed_integers_are_told_apart_in_both_processes() -> None:
    large = [(1 << 63) + 5, (1 << 64) - 1, 7]
    from freezer.data import worker

    assert list(signed_64(large)) == [5 - (1 << 63), -1, 7]
    assert worker._packed(large) == signed_64(large).tobytes()


def test_a_member_of_another_kind_gives_another_signature() -> None:
    numbers = signed_64(range(NUMBERS))
    signatures = {
        Found(paths, numbers, others).signature()
        for paths in (["a"], ["b"])
        for others in ({}, {0: ("d", "")}, {0: ("l", "x")}, {0: ("l", "y")})
    }
    assert len(signatures) == 8


@pytest.mark.process
def test_of_a_set_that_changed_all_digests_but_those_of_other_files_are_kept(
    root: Path, store: Store
) -> None:
    take(root, store)
    (root / "c0" / "00.bin").unlink()
    (root / "c1" / "new").write_bytes(b"new")
    (root / "a").mkdir()
    (root / "a" / "link").symlink_to("../c1/new")
    now = take(root, store)
    fresh = snapshot("demo", root, None, store=store, report=SilentReporter(), reread=True)
    assert (now.hashed, fresh.hashed) == (1, 60)
    assert (now.digest, now.listing) == (fresh.digest, fresh.listing)
    assert take(root, store).hashed == 0


@pytest.mark.process
def test_two_processes_find_what_one_finds(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "z").symlink_to("c0/00.bin")
    monkeypatch.setattr(walking, "can_fork", lambda: True)
    alone = walk(root, None, "demo")
    monkeypatch.setattr(walking, "MANY", 2)
    forks = []
    monkeypatch.setattr(walking, "forked", lambda work: forks.append(1) or forked(work))
    assert walk(root, None, "demo") == alone
    assert forks == [1]
    assert len(alone.others) == 3
    (root / "c2" / "out").symlink_to("/etc/hostname")
    with pytest.raises(DataError, match="leads out of data set"):
        walk(root, None, "demo")
    (root / "c2" / "out").unlink()
    (root / "c2" / os.fsdecode(b"\xff")).write_bytes(b"")
    with pytest.raises(DataError, match="not UTF-8"):
        walk(root, None, "demo")


@pytest.mark.process
def test_a_half_that_failed_or_was_killed_is_done_here(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = walk(root, None, "demo")
    monkeypatch.setattr(walking, "can_fork", lambda: True)
    monkeypatch.setattr(walking, "MANY", 2)
    own = os.getpid()
    real = walking._Walk.packed

    def killed(self) -> bytes:
        if os.getpid() != own:
            os.kill(os.getpid(), 9)
        return real(self)

    monkeypatch.setattr(walking._Walk, "packed", killed)
    assert walk(root, None, "demo") == alone


@pytest.mark.process
def test_a_copy_does_not_outlive_its_block(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []
    fork = os.fork
    monkeypatch.setattr(os, "fork", lambda: begun.append(fork()) or begun[-1])
    with pytest.raises(ValueError, match="here"), forked(lambda: time.sleep(60) or b""):
        raise ValueError("here")
    (child,) = begun
    with pytest.raises(ChildProcessError):  # other tests may have children of their own
        os.waitpid(child, os.WNOHANG)

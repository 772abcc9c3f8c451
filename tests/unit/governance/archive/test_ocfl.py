"""Archives: written once, every flipped byte found by its file, restored without a network."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.errors import HostError, IntegrityError
from freezer.fetch.archive_storage.folder import FolderStorage
from freezer.fetch.archive_storage.interface import Source
from freezer.flows.governance.archive.versions import list_archive
from freezer.governance.archive.fixity import verify_object, verify_root
from freezer.governance.archive.inventory import Inventory, Version, parse_inventory
from freezer.governance.archive.ocfl import add_version, open_root, read_object

NOW = "2026-11-30T00:00:00Z"


def source(data: bytes) -> Source:
    return Source(hashlib.sha256(data).hexdigest(), len(data), lambda: io.BytesIO(data))


def add(root: Path, files: Mapping[str, bytes], name: str = "demo") -> tuple[str, int, int]:
    storage = FolderStorage(root)
    open_root(storage, make=True)
    done = add_version(
        storage,
        name,
        {path: source(data) for path, data in files.items()},
        created=NOW,
        message="x",
    )
    return done.version, done.new_files, done.new_bytes


def test_a_second_version_costs_what_changed(tmp_path: Path) -> None:
    root = tmp_path / "archive"
    assert add(root, {"lock/a": b"a" * 10, "blobs/b": b"b" * 1000, "same": b"a" * 10}) == (
        "v1",
        2,
        1010,
    )
    before = {path: path.stat().st_mtime_ns for path in root.rglob("v1/**/*")}
    assert add(root, {"lock/a": b"c" * 7, "blobs/b": b"b" * 1000}) == ("v2", 1, 7)
    assert add(root, {"blobs/b": b"b" * 1000, "lock/a": b"c" * 7}) == ("v2", 0, 0)
    assert before == {path: path.stat().st_mtime_ns for path in root.rglob("v1/**/*")}
    inventory = read_object(FolderStorage(root), "demo")
    assert inventory is not None
    assert [len(one.state) for one in inventory.versions] == [3, 2]
    assert verify_object(FolderStorage(root), "demo") == []
    assert FolderStorage(root).objects() == ["demo"]


def test_every_tenth_byte_flipped_is_found_by_its_file(tmp_path: Path) -> None:
    root = tmp_path / "archive"
    add(root, {"lock/a": b"first" * 4, "blobs/b": b"second" * 5})
    add(root, {"lock/a": b"third" * 4, "blobs/b": b"second" * 5})
    tried = 0
    for path in sorted(root.rglob("*")):
        if path.is_dir():
            continue
        whole = path.read_bytes()
        for place in range(0, len(whole), 10):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            storage = FolderStorage(root)
            found = verify_root(storage) + verify_object(storage, "demo")
            if path.name == "ocfl_layout.json":
                continue  # a description for people
            assert found, (path, place)
            name = path.relative_to(root).as_posix()
            sidecar = name.removesuffix(".sha256")
            assert any(line.startswith((name, sidecar)) for line in found), (name, found)
            tried += 1
        path.write_bytes(whole)
    assert tried > 150
    assert verify_object(FolderStorage(root), "demo") == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda demo: (demo / "v1/content/lock/a").unlink(),
        lambda demo: (demo / "v1/content/extra").write_text("x"),
        lambda demo: (demo / "extra").write_text("x"),
        lambda demo: (demo / "v1/inventory.json").unlink(),
        lambda demo: (demo / "inventory.json").unlink(),
        lambda demo: (demo / "inventory.json.sha256").unlink(),
        lambda demo: (demo / "0=ocfl_object_1.1").unlink(),
        lambda demo: shutil.rmtree(demo / "v1"),
    ],
)
def test_files_that_are_gone_or_added_are_found(tmp_path: Path, damage: object) -> None:
    root = tmp_path / "archive"
    add(root, {"lock/a": b"first"})
    damage(root / "demo")  # type: ignore[operator]
    assert verify_object(FolderStorage(root), "demo")


def test_a_write_that_was_cut_off_leaves_the_object_as_it_was(tmp_path: Path) -> None:
    root = tmp_path / "archive"
    add(root, {"a": b"first"})
    whole = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    false = Source("0" * 64, 3, lambda: io.BytesIO(b"xyz"))
    with pytest.raises(IntegrityError, match="changed while it was archived"):
        add_version(FolderStorage(root), "demo", {"a": false}, created=NOW, message="x")
    assert whole == {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    # A process that was killed after the version was put in place, and before it was named.
    shutil.copytree(root / "demo" / "v1", root / "demo" / "v2")
    assert verify_object(FolderStorage(root), "demo")
    assert add(root, {"a": b"second"}) == ("v2", 1, 6)
    assert verify_object(FolderStorage(root), "demo") == []


@given(
    st.lists(
        st.dictionaries(
            st.from_regex(r"[a-z]{1,4}(/[a-z0-9.]{1,4}x){0,2}", fullmatch=True),
            st.sampled_from(["0" * 64, "1" * 64, "2" * 64]),
            min_size=1,
        ),
        min_size=1,
        max_size=3,
    )
)
def test_an_inventory_reads_as_it_was_written(states: list[dict[str, str]]) -> None:
    manifest = {digit * 64: f"v1/content/{digit}" for digit in "012"}
    made = Inventory("demo", manifest, tuple(Version(NOW, "x", state) for state in states))
    assert parse_inventory(made.data()) == made


@pytest.mark.parametrize(
    "change",
    [
        {"type": "other"},
        {"digestAlgorithm": "md5"},
        {"head": "v7"},
        {"versions": {}},
        {"versions": {"v2": {}}},
        {"manifest": {"x": ["a"]}},
        {"manifest": {"0" * 64: ["../../etc/passwd"]}},
        {"manifest": {"0" * 64: ["/etc/passwd"]}},
        {"manifest": []},
        {"versions": {"v1": {"state": {"9" * 64: ["a"]}}}},
        {"versions": {"v1": {"state": {"0" * 64: ["a", "a"]}}}},
        {"versions": {"v1": {"state": {"0" * 64: ["a/../../b"]}}}},
        {"versions": {"v1": {"state": {"0" * 64: "a"}}}},
        {"versions": {"v1": 3}},
    ],
)
def test_other_inventories_are_refused(change: dict[str, object]) -> None:
    made = Inventory("demo", {"0" * 64: "v1/content/a"}, (Version(NOW, "x", {"a": "0" * 64}),))
    document = {**json.loads(made.data()), **change}
    with pytest.raises(ValueError, match=r"."):
        parse_inventory(json.dumps(document).encode())


@given(st.binary(max_size=200))
def test_any_bytes_are_an_inventory_or_a_value_error(data: bytes) -> None:
    with suppress(ValueError):
        parse_inventory(data)


def test_folders_that_are_no_archive(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("x")
    for make in (True, False):
        with pytest.raises(HostError):
            open_root(FolderStorage(tmp_path), make=make)
    with pytest.raises(HostError, match="no archive"):
        list_archive(FolderStorage(tmp_path / "nowhere"))

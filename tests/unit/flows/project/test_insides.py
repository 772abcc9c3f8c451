"""Freezer's runtime: kept with the locks that name it, and believed by its hash only."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from freezer.errors import FreezerError, HostError, IntegrityError, LockError
from freezer.fetch.store.store import Store
from freezer.flows.history.generations import adopt, adopted_history, history, record_generation
from freezer.flows.history.log import verify
from freezer.flows.history.opened import open_history
from freezer.flows.image import bundle as flow
from freezer.flows.image.bundle import bundle, check_bundle, take_bundle
from freezer.flows.project.environment import Locked, read_lock
from freezer.flows.project.image_runtime import (
    fetch_runtime,
    installed_runtime,
    keep_runtime,
    runtime_fault,
    runtime_for,
)
from freezer.flows.project.project import Project
from freezer.image.oci.bundle import Content
from freezer.image.runtime import runtime_files
from freezer.inside import inside_bytes, inside_files
from freezer.model.canonical import digest
from freezer.model.image_runtime import LARGEST, unpack
from freezer.model.lock import BootstrapBase, DebianPackage, ImageRuntime, Lock, SmokePlan
from freezer.model.lockfile import LOCK_FILE, lock_bytes
from tests.support.host.hosts import Host, make_host
from tests.support.project.insides import OLD, PART, other_freezer, pack, part_files
from tests.support.project.locks import make_lock, sha

SHIPPED = Path(__file__).parents[4] / "lockfiles"
DEB = DebianPackage(
    source="debian", file="pool/a_1_amd64.deb", size=5, sha256=digest(b"a deb"), name="a",
    version="1", architecture="amd64", reason="base",
)  # fmt: skip
BASE = BootstrapBase(
    suite="bookworm",
    config=f"sha256:{sha('1')}",
    diff_ids=(f"sha256:{sha('2')}",),
    packages=(DEB,),
)
LOCK = make_lock(inside=OLD, base=BASE, debian=(), pip=())


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return make_host(tmp_path, "nowhere")


@pytest.fixture
def shop(host: Host) -> Project:
    host.opened.store.put_bytes(b"a deb")
    return host.opened


def place(shop: Project, data: bytes = PART, environment: str = "demo") -> Path:
    path = shop.root / "lockfiles" / environment / "inside" / OLD.sha256
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def put_lock(shop: Project, lock: Lock) -> None:
    folder = shop.root / "lockfiles" / lock.name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / LOCK_FILE).write_bytes(lock_bytes(lock))


def kept(shop: Project) -> dict[str, bytes]:
    folder = shop.root / "lockfiles" / "demo" / "inside"
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*"))}


def record(shop: Project, lock: Lock) -> None:
    with open_history(shop, lock.name) as opened:
        adopt(opened)
        put_lock(shop, lock)
        written = read_lock(shop.root, lock.name)
        assert written is not None
        record_generation(opened, written, action="lock", summary="a change")


def test_locks_that_name_one_part_keep_it_once(shop: Project) -> None:
    own = make_lock(inside=installed_runtime())
    for as_of in ("2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z", "2026-11-03T00:00:00Z"):
        record(shop, own.model_copy(update={"as_of": as_of}))
    assert len(history(shop, "demo").generations) == 3
    assert kept(shop) == {installed_runtime().sha256: inside_bytes()}
    assert shop.store.verified(installed_runtime().sha256).read_bytes() == inside_bytes()


def test_a_freezer_that_changed_keeps_its_own_beside_the_old_one(
    shop: Project, tmp_path: Path
) -> None:
    first = installed_runtime()
    record(shop, make_lock(inside=first))
    with other_freezer(tmp_path / "other") as second:
        record(shop, make_lock(inside=installed_runtime()))
        assert kept(shop).keys() == {first.sha256, second.sha256}


def test_a_lock_of_another_freezer_that_is_adopted_has_its_part_kept_where_it_is_at_hand(
    shop: Project,
) -> None:
    put_lock(shop, LOCK)
    adopted_history(shop, "demo")
    assert kept(shop) == {}
    shop.store.put_bytes(PART)
    adopted_history(shop, "demo")
    assert kept(shop) == {OLD.sha256: PART}


@pytest.mark.parametrize("environment", ["demo", "another"])
def test_an_empty_store_gets_it_from_whatever_environment_kept_it(
    shop: Project, environment: str
) -> None:
    place(shop, environment=environment)
    fetch_runtime(shop, LOCK)
    assert runtime_files(LOCK, shop.store) == part_files()


def test_this_freezers_own_needs_nothing_kept(shop: Project) -> None:
    assert runtime_files(make_lock(inside=installed_runtime()), shop.store) == inside_files()


@pytest.mark.parametrize("data", [PART[:-1], PART + b"#", b"", inside_bytes()])
def test_one_that_was_edited_is_named_and_not_used(shop: Project, data: bytes) -> None:
    place(shop, data)
    with pytest.raises(IntegrityError, match="was edited") as raised:
        fetch_runtime(shop, LOCK)
    assert str(raised.value.where) == f"lockfiles/demo/inside/{OLD.sha256}"
    assert not shop.store.has(OLD.sha256)
    assert f"inside/{OLD.sha256}: the stored copy" in (runtime_fault(shop, LOCK) or "")


def test_an_edited_one_is_put_right_from_where_it_is_whole(shop: Project) -> None:
    place(shop, PART + b"#")
    place(shop, environment="another")
    keep_runtime(shop, LOCK)
    assert kept(shop) == {OLD.sha256: PART}


def test_a_link_out_of_the_project_and_a_folder_are_not_taken(shop: Project, host: Host) -> None:
    path = place(shop)
    path.unlink()
    path.symlink_to("/proc/self/mem")
    with pytest.raises(FreezerError):
        inside_of_brought(shop)
    path.unlink()
    path.mkdir()
    with pytest.raises(LockError, match="not available"):
        inside_of_brought(shop)


def inside_of_brought(shop: Project) -> None:
    fetch_runtime(shop, LOCK)
    runtime_files(LOCK, shop.store)


@pytest.mark.parametrize("below", ["inside", f"inside/{OLD.sha256}/deeper"])
def test_what_lies_in_its_place_is_named(shop: Project, below: str) -> None:
    shop.store.put_bytes(PART)
    path = shop.root / "lockfiles/demo" / below
    path.parent.mkdir(parents=True)
    path.write_bytes(b"mine")
    with pytest.raises(HostError, match="something else is in its place") as caught:
        keep_runtime(shop, LOCK)
    assert str(caught.value.where) == f"lockfiles/demo/{below.removesuffix('/deeper')}"
    assert path.read_bytes() == b"mine"


def test_a_pipe_in_its_place_is_not_waited_for(shop: Project) -> None:
    path = place(shop)
    path.unlink()
    os.mkfifo(path)
    keep_runtime(shop, LOCK)  # which is nowhere else
    shop.store.put_bytes(PART)
    with pytest.raises(HostError, match="no regular file"):
        keep_runtime(shop, LOCK)
    assert path.is_fifo()
    path.unlink()
    keep_runtime(shop, LOCK)
    assert kept(shop) == {OLD.sha256: PART}


def test_one_that_is_nowhere_says_what_made_it_and_what_to_do(shop: Project) -> None:
    fetch_runtime(shop, LOCK)
    with pytest.raises(LockError, match="not available") as raised:
        runtime_files(LOCK, shop.store)
    said = str(raised.value)
    assert f"no file lockfiles/demo/inside/{OLD.sha256}" in said
    assert f"expected: freezer_inside 1, sha256 {OLD.sha256[:12]}" in said
    assert "bundle" in said
    assert "`freeze lock demo`" in said


def test_one_that_was_edited_in_the_store_is_had_again_from_the_project(shop: Project) -> None:
    place(shop)
    fetch_runtime(shop, LOCK)
    path = shop.store.path(OLD.sha256)
    path.chmod(0o644)
    path.write_bytes(PART + b"#")
    with pytest.raises(IntegrityError, match="in the store was changed"):
        runtime_files(LOCK, shop.store)
    fetch_runtime(shop, LOCK)
    assert runtime_files(LOCK, shop.store) == part_files()


def test_a_lock_whose_part_would_lead_out_of_the_image_is_refused(shop: Project) -> None:
    data = PART + pack({"freezer_inside/../../../../etc/job.py": b"import os"})
    hostile = make_lock(inside=ImageRuntime(version="1", sha256=shop.store.put_bytes(data)))
    with pytest.raises(IntegrityError, match="not the stored copy"):
        runtime_files(hostile, shop.store)


def test_a_part_of_another_interface_is_refused_before_its_bytes_are_looked_for(
    shop: Project,
) -> None:
    newer = make_lock(inside=ImageRuntime(version="9", sha256="9" * 64, interface=9))
    with pytest.raises(LockError, match="has an interface"):
        runtime_files(newer, shop.store)


def test_the_log_names_one_that_was_edited(shop: Project) -> None:
    record(shop, make_lock(inside=installed_runtime()))
    assert verify(shop, "demo").faults == ()
    path = shop.root / "lockfiles/demo/inside" / installed_runtime().sha256
    path.write_bytes(inside_bytes()[:-1])
    (fault,) = verify(shop, "demo").faults
    assert f"lockfiles/demo/inside/{installed_runtime().sha256}" in fault


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_the_log_names_what_lies_in_the_place_of_one(
    shop: Project, make: Callable[[Path], None]
) -> None:
    record(shop, make_lock(inside=installed_runtime()))
    path = shop.root / "lockfiles/demo/inside" / installed_runtime().sha256
    path.unlink()
    make(path)
    (fault,) = verify(shop, "demo").faults
    assert "instead of a file" in fault


def test_the_log_passes_over_what_is_none(shop: Project) -> None:
    record(shop, make_lock(inside=installed_runtime()))
    for name in (".gitkeep", f".{installed_runtime().sha256}.k2x8_ab1"):
        (shop.root / "lockfiles/demo/inside" / name).write_bytes(b"")
    assert verify(shop, "demo").faults == ()


def test_a_large_file_that_a_lock_names_is_no_part(shop: Project) -> None:
    lock = make_lock(
        inside=ImageRuntime(version="1", sha256=shop.store.put_bytes(bytes(LARGEST + 1)))
    )
    keep_runtime(shop, lock)
    assert kept(shop) == {}
    with pytest.raises(IntegrityError, match="not the stored copy"):
        runtime_files(lock, shop.store)


def plan(*trainings: str) -> SmokePlan:
    return SmokePlan(trainings=trainings, seed=1, cpus=1, memory="1g", timeout=9)


def test_a_lock_takes_this_freezers_part_and_a_named_update_stays_with_the_old_one(
    host: Host, shop: Project
) -> None:
    data = pack(part_files(numpy_training=b"train()"))
    old = make_lock(inside=ImageRuntime(version="1", sha256=shop.store.put_bytes(data)))
    assert runtime_for(shop, plan("numpy"), None, keep=False) == installed_runtime()
    assert runtime_for(shop, plan("numpy"), old, keep=False) == installed_runtime()
    assert runtime_for(shop, plan("numpy"), old, keep=True) == old.inside
    assert host.ear.notes == []


@pytest.mark.parametrize("at_hand", [True, False])
def test_an_update_says_that_the_part_moves_where_it_cannot_stay(
    host: Host, shop: Project, at_hand: bool
) -> None:
    if at_hand:
        shop.store.put_bytes(PART)  # which has no such training
    assert runtime_for(shop, plan("numpy"), LOCK, keep=True) == installed_runtime()
    assert "Freezer's runtime" in host.ear.notes[0]


def test_a_bundle_carries_it_to_a_freezer_that_has_another(
    host: Host, shop: Project, tmp_path: Path
) -> None:
    put_lock(shop, LOCK)
    place(shop)
    bundle(shop, "demo", tmp_path / "demo.bundle")
    there = make_host(tmp_path / "there", "nowhere").opened
    assert check_bundle(there, tmp_path / "demo.bundle").environment == "demo"
    take_bundle(there, tmp_path / "demo.bundle")
    assert runtime_files(LOCK, there.store) == part_files()
    assert kept(there) == {OLD.sha256: PART}


def test_a_lock_whose_part_is_gone_is_not_bundled(shop: Project, tmp_path: Path) -> None:
    put_lock(shop, LOCK)
    with pytest.raises(LockError, match="not available"):
        bundle(shop, "demo", tmp_path / "demo.bundle")
    assert not (tmp_path / "demo.bundle").exists()


def test_a_bundle_of_before_parts_were_kept_is_good_for_the_freezer_that_made_it(
    shop: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_lock(shop, LOCK.model_copy(update={"inside": installed_runtime()}))
    path = tmp_path / "demo.bundle"
    whole, sha256 = flow._members, installed_runtime().sha256

    def without(locked: Locked, store: Store) -> dict[str, Content]:
        return {name: one for name, one in whole(locked, store).items() if sha256 not in name}

    monkeypatch.setattr(flow, "_members", without)
    bundle(shop, "demo", path)
    check_bundle(shop, path)
    with other_freezer(tmp_path / "other"):
        with pytest.raises(IntegrityError, match="lacks Freezer's runtime"):
            check_bundle(shop, path)
        there = make_host(tmp_path / "there", "nowhere").opened
        assert take_bundle(there, path) == "demo"  # a project may have kept it


def test_a_store_is_told_of_the_part_by_its_digest_alone(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store")
    assert store.put_bytes(inside_bytes()) == installed_runtime().sha256 == digest(inside_bytes())


@pytest.mark.parametrize("folder", sorted(SHIPPED.glob("*/")), ids=lambda path: path.name)
def test_shipped_locks_come_with_their_part(folder: Path) -> None:
    named = re.search(
        r"^inside:\n  sha256: \"?(\w{64})\"?$", (folder / LOCK_FILE).read_text(), re.MULTILINE
    )
    assert named
    parts = {path.name: path for path in (folder / "inside").iterdir()}
    assert named[1] in parts, "the current lock's; earlier generations may have others"
    assert all(unpack(path.read_bytes(), name, name) for name, path in parts.items())

"""Inventories are taken once for each image, compared with the lock, and kept beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from freezer.check.reference import parse_reference, read_reference, write_reference
from freezer.engine.interface import RunResult
from freezer.errors import VerificationError
from freezer.fetch.config import Config
from freezer.fetch.store.store import Store
from freezer.flows.image.inventory_cache import inventory_of, keep_inventory
from freezer.flows.project.environment import Locked
from freezer.flows.project.project import Project
from freezer.history.archive import archive_folder
from freezer.model.canonical import digest, json_bytes, plain
from freezer.model.events import SilentReporter
from freezer.model.record.inventory import Inventory, note_of
from freezer.model.record.record import Host, Record
from tests.support.project.locks import make_lock, sha

IMAGE = f"sha256:{sha('a')}"
BLAS = {
    "name": "OpenBLAS",
    "roles": ["blas"],
    "version": "0.3.30",
    "file": "/opt/env/lib/libopenblas.so.0",
    "sha256": sha("1"),
    "owner": "conda:libopenblas",
    "loaded_by": ["conda:numpy"],
}


class Engine:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def run(self, *_: Any, **__: Any) -> RunResult:
        self.asked += 1
        text = json.dumps({"files": 1, "libraries": [BLAS]}).encode()
        return RunResult(0, text, b"", False, False, 0.1)


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def project(tmp_path: Path, engine: Engine) -> Project:
    store = Store.open(tmp_path / "store")
    return Project(tmp_path, Config(), store, lambda: engine, SilentReporter())  # type: ignore[arg-type,return-value]


def locked(folder: Path, **changes: Any) -> Locked:
    (folder / "lockfiles").mkdir(exist_ok=True)
    return Locked(make_lock(**changes), sha("9"), folder / "lockfiles")


def test_an_image_is_asked_once(project: Project, engine: Engine) -> None:
    assert inventory_of(project, IMAGE) == inventory_of(project, IMAGE)
    assert engine.asked == 1
    assert inventory_of(project, f"sha256:{sha('b')}").image.endswith("b")
    assert engine.asked == 2


def test_images_that_can_compute_the_same_are_asked_once(project: Project, engine: Engine) -> None:
    first = inventory_of(project, IMAGE, alike="one")
    twin = inventory_of(project, f"sha256:{sha('b')}", alike="one")
    assert twin == first.model_copy(update={"image": f"sha256:{sha('b')}"})
    assert engine.asked == 1
    assert inventory_of(project, f"sha256:{sha('b')}") == twin
    assert engine.asked == 1
    inventory_of(project, f"sha256:{sha('c')}", alike="another")
    assert engine.asked == 2


def test_what_is_kept_is_an_inventory_and_the_same_each_time(
    project: Project, tmp_path: Path
) -> None:
    result = keep_inventory(project, locked(tmp_path), IMAGE)
    before = result.path.read_bytes()
    assert Inventory.model_validate(json.loads(before)) == result.inventory
    keep_inventory(project, locked(tmp_path), IMAGE)
    assert result.path.read_bytes() == before


def test_another_image_of_the_lock_does_not_change_what_the_history_records(
    project: Project, tmp_path: Path
) -> None:
    """One that was built with a commit in its labels has another ID, and the same libraries."""
    path = keep_inventory(project, locked(tmp_path), IMAGE).path
    before = path.read_bytes()
    other = f"sha256:{sha('b')}"
    assert keep_inventory(project, locked(tmp_path), other).inventory.image == other
    assert path.read_bytes() == before
    for edited in (before + b"\n", before.replace(b'"image"', b'"imago"'), b"[]", b"\xff"):
        path.write_bytes(edited)
        keep_inventory(project, locked(tmp_path), IMAGE)
        assert path.read_bytes() == before


def test_the_inventory_of_an_earlier_lock_is_replaced(project: Project, tmp_path: Path) -> None:
    """Also where it has the same libraries: it names the earlier lock's image."""
    lock = locked(tmp_path)
    path = keep_inventory(project, lock, IMAGE).path
    before = path.read_bytes()
    archive = archive_folder(lock.folder, sha("7"))
    archive.mkdir(parents=True)
    (archive / path.name).write_bytes(before)
    later = f"sha256:{sha('b')}"
    keep_inventory(project, lock, later)
    after = path.read_bytes()
    assert after == before.replace(IMAGE.encode(), later.encode())
    own = archive_folder(lock.folder, lock.id)
    own.mkdir()
    (own / path.name).write_bytes(after)
    path.write_bytes(before)
    keep_inventory(project, lock, f"sha256:{sha('c')}")
    assert path.read_bytes() == after


def test_nothing_is_kept_of_an_image_that_breaks_a_promise(
    project: Project, tmp_path: Path
) -> None:
    lock = locked(tmp_path, blas="mkl")
    with pytest.raises(VerificationError):
        keep_inventory(project, lock, IMAGE)
    assert not list(lock.folder.iterdir())


def record(project: Project | None) -> Record:
    return Record(
        lock_id=sha("9"),
        image=IMAGE,
        inside=sha("8"),
        host=Host(
            class_="x86-64-v3", level="v3", cpu="c", cpus=1, libc="g", kernel="6", python="3"
        ),
        inventory=None if project is None else note_of(inventory_of(project, IMAGE)),
    )


def test_a_reference_carries_the_note(project: Project, tmp_path: Path) -> None:
    path = write_reference(tmp_path, record(project))
    read = read_reference(path, "reference")
    assert read is not None
    assert read.inventory is not None
    assert [item.title for item in read.inventory.numerics] == [
        "OpenBLAS 0.3.30 (conda:libopenblas)"
    ]


def test_a_reference_from_before_there_were_inventories_is_read_as_it_was(tmp_path: Path) -> None:
    document = plain(record(None))
    assert "inventory" not in document
    document["integrity"] = f"sha256:{digest(json_bytes(document))}"
    assert parse_reference(json.dumps(document).encode(), "old").inventory is None

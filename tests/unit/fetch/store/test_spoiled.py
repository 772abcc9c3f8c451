"""A store whose files were changed is mended in one run: all of them are fetched or made anew."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from freezer.fetch.store.download import fetch_all
from freezer.fetch.store.interface import Location
from freezer.fetch.store.store import Store
from freezer.flows.image import fetch as flow
from freezer.image.layers.order import write_layer
from freezer.image.wheel.chunks import Chunk
from freezer.model.artifact import Artifact
from freezer.model.events import SilentReporter
from tests.support.project.histories import make_past

FILES = {f"package-{number}.whl": f"bytes {number}".encode() for number in range(12)}


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


ARTIFACTS = [
    Artifact(source="url", file=name, size=len(data), sha256=sha(data))
    for name, data in FILES.items()
]


class Folder:
    """A source that is a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def serves(self, _: Artifact) -> bool:
        return True

    def locate(self, artifact: Artifact) -> Iterator[Location]:
        yield Location((self.root / artifact.file).as_uri())


@pytest.fixture
def source(tmp_path: Path) -> Folder:
    root = tmp_path / "index"
    root.mkdir()
    for name, data in FILES.items():
        (root / name).write_bytes(data)
    return Folder(root)


def spoil(store: Store, sha256: str, data: bytes = b"other") -> None:
    store.path(sha256).chmod(0o644)
    store.path(sha256).write_bytes(data)


def test_all_are_fetched_again_in_one_run(tmp_path: Path, source: Folder) -> None:
    root = tmp_path / "store"
    fetch_all(ARTIFACTS, store=Store.open(root), sources=[source], report=SilentReporter())
    for artifact in ARTIFACTS[::2]:
        spoil(Store.open(root), artifact.sha256)
    store = Store.open(root)
    found = fetch_all(ARTIFACTS, store=store, sources=[source], report=SilentReporter())
    assert {path.read_bytes() for path in found.values()} == set(FILES.values())
    assert store.spoiled == {one.sha256 for one in ARTIFACTS[::2]}


def test_a_spoiled_file_counts_as_missing(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    kept, spoiled = store.put_bytes(b"kept"), store.put_bytes(b"spoiled")
    spoil(store, spoiled)
    assert (store.has(kept), store.has(spoiled), store.has("0" * 64)) == (True, False, False)
    assert not store.path(spoiled).exists()
    assert store.spoiled == {spoiled}
    store.path(spoiled).mkdir()
    assert not store.has(spoiled)


def test_all_are_named_at_once(tmp_path: Path) -> None:
    past = make_past(tmp_path)
    flow._report_corrupt(past.opened, [])
    assert past.ear.warnings == []
    flow._report_corrupt(past.opened, sorted(FILES))
    (said,) = past.ear.warnings
    assert said.startswith("12 files in the store had been changed, and will be fetched again: ")
    assert said.endswith(" and 2 more")


def test_what_was_made_from_them_is_made_anew(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    index, chunk = store.put_bytes(b"{}"), store.put_bytes(b"x" * 512)
    chunks = [Chunk("a 1", "key", chunk, 512, index)]
    first = write_layer("a", chunks, store)
    assert first.file.path is not None
    spoil(store, first.file.diff_id.removeprefix("sha256:"))
    again = write_layer("a", chunks, store)
    assert again.file == first.file
    assert again.file.path is not None
    assert sha(again.file.path.read_bytes()) == first.file.diff_id.removeprefix("sha256:")

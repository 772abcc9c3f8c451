"""A layer is compressed once, always to the same bytes, and comes out as it went in."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
import zstandard

from freezer.errors import IntegrityError
from freezer.fetch.registry.compressed_layers import compress, decompress, known_compressed
from freezer.fetch.store.store import Store
from tests.support.registry.registries import sha

LAYER = b"some layer " * 400_000


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    path = tmp_path / "layer.tar"
    path.write_bytes(LAYER)
    return path


def test_a_layer_is_compressed_with_no_name_and_no_time(store: Store, layer: Path) -> None:
    told: list[int] = []
    packed = compress(store, sha(LAYER), layer, told.append)
    data = store.verified(packed.digest.removeprefix("sha256:")).read_bytes()
    assert (packed.digest, packed.size) == (sha(data), len(data))
    assert gzip.decompress(data) == LAYER
    assert (data[3], data[4:8]) == (0, bytes(4))
    assert sum(told) == len(LAYER)


def test_equal_layers_are_equal_blobs_whatever_the_day(store: Store, tmp_path: Path) -> None:
    packed = set()
    for name in ("a", "b"):
        path = tmp_path / name
        path.write_bytes(LAYER)
        packed.add(compress(store, sha(LAYER), path, lambda _: None))
    assert len(packed) == 1


def test_what_a_layer_was_compressed_to_is_remembered(store: Store, layer: Path) -> None:
    assert known_compressed(store, sha(LAYER)) is None
    packed = compress(store, sha(LAYER), layer, lambda _: None)
    assert known_compressed(Store.open(store.root), sha(LAYER)) == packed


def test_a_file_that_is_not_the_layer_leaves_nothing(store: Store, layer: Path) -> None:
    with pytest.raises(IntegrityError):
        compress(store, sha(b"other"), layer, lambda _: None)
    assert known_compressed(store, sha(b"other")) is None
    assert [path for path in (store.root / "blobs").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    "stored",
    [LAYER, gzip.compress(LAYER, mtime=0), zstandard.compress(LAYER)],
    ids=["plain", "gzip", "zstd"],
)
def test_a_layer_is_uncompressed_whatever_it_is_in(tmp_path: Path, stored: bytes) -> None:
    (tmp_path / "stored").write_bytes(stored)
    decompress(tmp_path / "stored", sha(LAYER), tmp_path / "plain")
    assert (tmp_path / "plain").read_bytes() == LAYER


@pytest.mark.parametrize(
    "stored",
    [
        b"other",
        gzip.compress(b"other", mtime=0),
        gzip.compress(LAYER, mtime=0)[:-20],
        b"\x1f\x8bnot at all gzip",
        b"\x28\xb5\x2f\xfdnot at all zstd",
        b"",
    ],
)
def test_what_is_not_the_layer_is_refused(tmp_path: Path, stored: bytes) -> None:
    (tmp_path / "stored").write_bytes(stored)
    with pytest.raises(IntegrityError):
        decompress(tmp_path / "stored", sha(LAYER), tmp_path / "plain")


def test_a_bomb_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("freezer.fetch.registry.compressed_layers._ALLOWANCE", 1 << 20)
    (tmp_path / "stored").write_bytes(zstandard.compress(bytes(64 << 20)))
    with pytest.raises(IntegrityError, match="suspiciously many"):
        decompress(tmp_path / "stored", sha(bytes(64 << 20)), tmp_path / "plain")
    assert (tmp_path / "plain").stat().st_size < 4 << 20

"""What the engine is given comes out again, byte for byte, however it went in."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from freezer.engine.interface import LayerFile
from freezer.errors import EngineError, FreezerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from freezer.engine.engine import DockerEngine
    from freezer.engine.interface import ImageInfo

pytestmark = pytest.mark.engine

OWN = str(os.getpid())
TAGS = (f"freezer-test-a:{OWN}", f"freezer-test-b:{OWN}")
"""Of this process: others may test on the same engine."""


@pytest.fixture
def upper(tmp_path: Path) -> LayerFile:
    return make_layer(tmp_path / "upper.tar", {"upper": b"u" * 5000})


@pytest.fixture
def cleanup(engine: DockerEngine) -> Iterator[list[str]]:
    made: list[str] = []
    yield made
    for reference in made:
        engine.remove_image(reference)


def make_layer(path: Path, files: dict[str, bytes]) -> LayerFile:
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in files.items():
            header = tarfile.TarInfo(name)
            header.size = len(data)
            archive.addfile(header, io.BytesIO(data))
    return LayerFile(f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}", path)


def image_id(config: bytes) -> str:
    return f"sha256:{hashlib.sha256(config).hexdigest()}"


def test_id_is_the_digest_of_the_config_and_tags_point_at_it(
    engine: DockerEngine,
    tiny_layer: LayerFile,
    image_config: Callable[..., bytes],
    cleanup: list[str],
) -> None:
    config = image_config([tiny_layer.diff_id], User="1000", WorkingDir="/work", Env=["A=b=c"])
    loaded = engine.load(config, [tiny_layer], tags=list(TAGS))
    cleanup += loaded.tags
    assert loaded.id == image_id(config)
    assert loaded.diff_ids == (tiny_layer.diff_id,)
    assert tuple(sorted(loaded.tags)) == TAGS
    assert (loaded.user, loaded.working_dir, loaded.environment) == ("1000", "/work", {"A": "b=c"})
    assert engine.image(TAGS[1]) == loaded


def test_without_tags_an_image_is_found_by_its_id(
    engine: DockerEngine,
    tiny_layer: LayerFile,
    image_config: Callable[..., bytes],
    cleanup: list[str],
) -> None:
    config = image_config([tiny_layer.diff_id], Labels={"freezer-test": OWN})
    cleanup.append(engine.load(config, [tiny_layer]).id)
    found = engine.image(image_id(config))
    assert found is not None
    assert found.tags == ()
    assert [image.id for image in engine.images(label=f"freezer-test={OWN}")] == [found.id]


def test_thin_and_full_load_give_the_same_image(
    engine: DockerEngine,
    tiny_image: ImageInfo,
    tiny_layer: LayerFile,
    upper: LayerFile,
    image_config: Callable[..., bytes],
    cleanup: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = image_config([tiny_layer.diff_id, upper.diff_id])
    base = LayerFile(tiny_layer.diff_id, None)
    sent: list[int] = []
    monkeypatch.setattr("freezer.engine.tarstream.counted", counting(sent))
    thin = engine.load(config, [base, upper])
    bytes_of_thin = sum(sent)
    engine.remove_image(thin.id)
    monkeypatch.setattr("freezer.engine.interface.EngineInfo.takes_thin", False)
    sent.clear()
    full = engine.load(config, [base, upper])
    cleanup.append(full.id)
    assert replace(thin, folders=()) == replace(full, folders=())  # each has a place of its own
    assert sum(sent) > tiny_layer.path.stat().st_size  # type: ignore[union-attr]
    if engine.info.name == "docker" and not engine.info.containerd_store:
        assert bytes_of_thin < 20_000


def counting(sent: list[int]) -> Callable[..., Iterator[bytes]]:
    def count(chunks: Iterator[bytes], task: object) -> Iterator[bytes]:
        for chunk in chunks:
            sent.append(len(chunk))
            yield chunk

    return count


def test_an_image_that_is_there_is_not_sent_at_all(
    engine: DockerEngine, tiny_image: ImageInfo, image_config: Callable[..., bytes]
) -> None:
    config = image_config(tiny_image.diff_ids)
    again = engine.load(config, [LayerFile(tiny_image.diff_ids[0], None)])
    assert again == tiny_image


def test_a_layer_on_another_base_is_sent_again(
    engine: DockerEngine,
    tiny_image: ImageInfo,
    tiny_layer: LayerFile,
    upper: LayerFile,
    image_config: Callable[..., bytes],
    cleanup: list[str],
) -> None:
    """Engines know a layer by the chain below it; here the engine has the bytes, not the chain."""
    config = image_config([upper.diff_id, tiny_layer.diff_id])
    loaded = engine.load(config, [upper, LayerFile(tiny_layer.diff_id, None)])
    cleanup.append(loaded.id)
    assert loaded.diff_ids == (upper.diff_id, tiny_layer.diff_id)


def test_a_tampered_layer_is_refused(
    engine: DockerEngine, upper: LayerFile, tmp_path: Path, image_config: Callable[..., bytes]
) -> None:
    other = make_layer(tmp_path / "other.tar", {"upper": b"v" * 5000})
    config = image_config([upper.diff_id])
    with pytest.raises(FreezerError) as raised:
        engine.load(config, [LayerFile(upper.diff_id, other.path)])
    assert raised.value.hint
    assert engine.image(image_id(config)) is None


def test_a_layer_that_nobody_has_is_named(
    engine: DockerEngine, image_config: Callable[..., bytes]
) -> None:
    nowhere = "sha256:" + "0" * 64
    with pytest.raises(EngineError, match="neither on this host nor in the engine") as raised:
        engine.load(image_config([nowhere]), [LayerFile(nowhere, None)])
    assert nowhere in str(raised.value)


def test_layers_come_out_as_they_went_in(
    engine: DockerEngine,
    tiny_layer: LayerFile,
    upper: LayerFile,
    image_config: Callable[..., bytes],
    cleanup: list[str],
    tmp_path: Path,
) -> None:
    diff_ids = [tiny_layer.diff_id, upper.diff_id, upper.diff_id]  # once more: kept only once
    loaded = engine.load(image_config(diff_ids), [tiny_layer, upper, upper])
    cleanup.append(loaded.id)
    above = [
        (diff_id, hashlib.sha256(file.read()).hexdigest())
        for diff_id, file in engine.layer_tars(loaded.id, 1, scratch=tmp_path)
    ]
    assert above == [(upper.diff_id, upper.diff_id.removeprefix("sha256:"))] * 2
    target = tmp_path / "saved.tar"
    engine.save_layers(loaded.id, {tiny_layer.diff_id: target})
    assert target.read_bytes() == tiny_layer.path.read_bytes()  # type: ignore[union-attr]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["saved.tar", "upper.tar"]


def test_a_layer_of_another_image_cannot_be_saved(
    engine: DockerEngine, tiny_image: ImageInfo, tmp_path: Path
) -> None:
    with pytest.raises(EngineError, match="lacks layers"):
        engine.save_layers(tiny_image.id, {"sha256:" + "1" * 64: tmp_path / "never"})
    assert not list(tmp_path.iterdir())


def test_removing_what_is_not_there_is_no_error(engine: DockerEngine) -> None:
    engine.remove_image("freezer-test-never:1")
    assert engine.image("freezer-test-never:1") is None

"""A base in a real registry: asked, pulled by the engine, compared with the lock, carried away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from freezer.engine.interface import Engine, LayerFile, RunOptions
from freezer.errors import EngineError, IntegrityError
from freezer.fetch.config import Config
from freezer.fetch.http.client import NotFoundError
from freezer.fetch.registry.inspect import Registry
from freezer.fetch.store.store import Store
from freezer.image.base import engine_base
from freezer.model.lock import RegistryBase
from tests.support.debian.bases import PLATFORMS, SILENT
from tests.support.registry.registries import (
    INDEX,
    make_config,
    make_index,
    make_manifest,
    push,
    put_manifest,
    real_registry,
)

pytestmark = pytest.mark.engine
MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Pushed:
    host: str
    manifest: str
    config: bytes
    platform: str

    @property
    def name(self) -> str:
        return f"{self.host}/freezer/tiny:1"


@pytest.fixture(scope="module")
def pushed(
    engine: Engine, tiny_layer: LayerFile, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pushed]:
    machine = engine.info.architecture
    assert tiny_layer.path is not None
    layers = [tiny_layer.path.read_bytes()]
    with real_registry(tmp_path_factory.mktemp("registry")) as host:
        config = make_config(layers, MACHINES[machine], Env=["PATH=/bin", f"AT={host}"])
        manifest = push(f"http://{host}", "freezer/tiny", "1", config, layers)
        yield Pushed(host, manifest, config, PLATFORMS[machine])


def resolve(pushed: Pushed, tag: str = "1") -> RegistryBase:
    name = f"{pushed.host}/freezer/tiny:{tag}"
    found = Registry(Config()).resolve(name, pushed.platform)
    return RegistryBase(
        reference=name, manifest=found.manifest, config=found.config, diff_ids=found.diff_ids
    )


def use(engine: Engine, base: RegistryBase, pushed: Pushed, folder: Path) -> str:
    return engine_base(
        base, pushed.platform, engine=engine, store=Store.open(folder / "store"), report=SILENT
    )


def test_what_was_pushed_is_what_is_told(pushed: Pushed) -> None:
    found = Registry(Config()).resolve(pushed.name, pushed.platform)
    assert found.manifest == pushed.manifest
    assert found.environment == {"PATH": "/bin", "AT": pushed.host}


def test_an_index_in_the_registry_leads_to_the_same_manifest(
    pushed: Pushed, tiny_layer: LayerFile
) -> None:
    assert tiny_layer.path is not None
    manifest = make_manifest(pushed.config, [tiny_layer.path.read_bytes()])
    index = make_index({pushed.platform: manifest})
    put_manifest(f"http://{pushed.host}", "freezer/tiny", "many", index, INDEX)
    assert resolve(pushed, "many").manifest == pushed.manifest


def test_a_tag_that_is_not_there_is_named(pushed: Pushed) -> None:
    with pytest.raises(NotFoundError, match="tiny:2"):
        resolve(pushed, "2")


def test_the_engine_pulls_it_once_and_knows_it_when_it_was_carried(
    engine: Engine, pushed: Pushed, tmp_path: Path
) -> None:
    base = resolve(pushed)
    reference = use(engine, base, pushed, tmp_path)
    try:
        assert reference == f"{pushed.host}/freezer/tiny@{pushed.manifest}"
        assert engine.run(reference, ["cat", "/bin/sh"], RunOptions()).exit_code == 0
        elsewhere = base.model_copy(update={"reference": "127.0.0.1:1/never/there:1"})
        carried = use(engine, elsewhere, pushed, tmp_path)
        assert carried.endswith(base.config.removeprefix("sha256:")[:12])
        found = engine.image(carried)
        assert found is not None
        assert found.diff_ids == base.diff_ids
        engine.remove_image(carried)
        other = base.model_copy(update={"diff_ids": (f"sha256:{'0' * 64}",)})
        with pytest.raises(IntegrityError, match="not the image that was locked"):
            use(engine, other, pushed, tmp_path)
    finally:
        engine.remove_image(reference)


def test_a_registry_that_lost_the_image_is_an_error_of_the_engine(
    engine: Engine, pushed: Pushed, tmp_path: Path
) -> None:
    gone = resolve(pushed).model_copy(
        update={"manifest": f"sha256:{'0' * 64}", "config": f"sha256:{'1' * 64}"}
    )
    with pytest.raises(EngineError, match="pulling"):
        use(engine, gone, pushed, tmp_path)

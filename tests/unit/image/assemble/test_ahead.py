"""Loading lower layers early: where it helps, what is left of it, and what happens when it fails."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from freezer.engine.interface import Engine, EngineInfo, ImageInfo, LayerFile
from freezer.errors import EngineError
from freezer.fetch.store.store import Store
from freezer.image.assemble.preload_layers import LayerPreload
from freezer.image.build_container import store_name, sweep_working_images, working_image
from freezer.image.layers.order import Layer
from freezer.image.layout import STORE_LABEL
from freezer.image.oci.config import image_id
from freezer.model.events import SilentReporter
from tests.support.host.fake_engine import INFO
from tests.support.project.locks import make_lock

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LOCK = make_lock()
BASE = (LayerFile("sha256:" + "a" * 64, None),)
HEAVY = Layer(LayerFile("sha256:" + "b" * 64, None), "torch", 1)


class Slow:
    """An engine that takes an image when it is let."""

    def __init__(self, info: EngineInfo = INFO) -> None:
        self.info = info
        self.let = threading.Event()
        self.fails = False
        self.held: dict[str, tuple[str, ...]] = {}
        self.removed: list[str] = []
        self.store = ""

    def images(self, *, label: str | None = None) -> list[ImageInfo]:
        if label is not None and label != f"{STORE_LABEL}={self.store}":
            return []
        return [self._info(one) for one in self.held]

    def load(self, config: bytes, layers: Sequence[LayerFile], **_: Any) -> ImageInfo:
        assert self.let.wait(60)
        if self.fails:
            raise EngineError("no space left")
        self.held[image_id(config)] = tuple(layer.diff_id for layer in layers)
        return self._info(image_id(config))

    def remove_image(self, name: str) -> None:
        self.removed.append(name)
        self.held.pop(name, None)

    def _info(self, name: str) -> ImageInfo:
        return ImageInfo(name, self.held[name], (), (), 0, "amd64", "linux", {}, {}, "", "")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


def preload(engine: Slow, store: Store) -> LayerPreload:
    return LayerPreload(LOCK, engine=cast("Engine", engine), store=store)


def test_layers_are_there_after_waiting_and_until_the_end(store: Store) -> None:
    engine = Slow()
    with preload(engine, store) as early:
        early.start(BASE, [HEAVY])
        assert not engine.held
        engine.let.set()
        early.wait()
        assert list(engine.held.values()) == [(BASE[0].diff_id, HEAVY.file.diff_id)]
    assert not engine.held
    assert len(engine.removed) == 1


def test_a_failure_is_left_to_loading_the_whole_image(store: Store) -> None:
    engine = Slow()
    engine.fails = True
    engine.let.set()
    with preload(engine, store) as early:
        early.start(BASE, [HEAVY])
        early.wait()
    assert engine.removed == []


def test_an_error_meanwhile_leaves_nothing_in_the_engine(store: Store) -> None:
    engine = Slow()
    engine.let.set()

    def interrupted() -> None:
        with preload(engine, store) as early:
            early.start(BASE, [HEAVY])
            early.wait()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not engine.held


@pytest.mark.parametrize(
    "info", [replace(INFO, name="podman"), replace(INFO, containerd_store=True)]
)
def test_an_engine_that_wants_whole_images_is_sent_nothing(store: Store, info: EngineInfo) -> None:
    engine = Slow(info)
    with preload(engine, store) as early:
        early.start(BASE, [HEAVY])
        early.wait()  # at once
    assert engine.removed == []


def test_what_the_engine_has_is_not_sent(store: Store) -> None:
    engine = Slow()
    engine.held["sha256:old"] = (BASE[0].diff_id, HEAVY.file.diff_id, "sha256:more")
    with preload(engine, store) as early:
        early.start(BASE, [HEAVY])
        early.wait()
    assert engine.removed == []


def test_what_a_killed_build_left_is_swept_and_what_is_in_use_is_not(store: Store) -> None:
    engine = Slow()
    engine.let.set()
    engine.store = store_name(store)
    engine.held["sha256:" + "c" * 64] = ("left",)
    layers, titles = [*BASE, HEAVY.file], [(HEAVY.file.diff_id, HEAVY.title)]
    one, other = cast("Engine", engine), Store.open(store.root)
    with working_image(
        LOCK, layers, titles, engine=one, store=other, report=SilentReporter()
    ) as used:
        sweep_working_images(one, store)
        assert list(engine.held) == [used]
    assert engine.removed[0] == "sha256:" + "c" * 64

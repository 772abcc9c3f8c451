"""Loading lower layers early: where it helps, what is left of it, and what happens when it fails."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from freezer.engine.interface import Engine, EngineInfo, ImageInfo, LayerFile
from freezer.errors import EngineError, VerificationError
from freezer.fetch.store.store import Store
from freezer.image.assemble.assemble import HEAVY as WORTH
from freezer.image.assemble.assemble import _groups
from freezer.image.assemble.lower_layers import LowerLayers
from freezer.image.assemble.preload_layers import LayerPreload
from freezer.image.build_container import store_name, sweep_working_images, working_image
from freezer.image.layers.order import Layer, LayerPlan
from freezer.image.layout import STORE_LABEL
from freezer.image.oci.config import image_id
from freezer.model.events import SilentReporter
from freezer.model.lock import PipPackage
from tests.support.host.fake_engine import INFO
from tests.support.project.locks import make_lock

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LOCK = make_lock()
BASE = (LayerFile("sha256:" + "a" * 64, None),)
HEAVY = Layer(LayerFile("sha256:" + "b" * 64, None), "torch", 1)
NEXT = Layer(LayerFile("sha256:" + "c" * 64, None), "scipy", 1)
LOWER = LowerLayers(LOCK, BASE, [HEAVY], [])
MORE = LowerLayers(LOCK, BASE, [HEAVY, NEXT], [])


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


@pytest.fixture(autouse=True)
def verified(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Record of how many layers each image was that is verified."""
    found: list[int] = []

    def verify(lower: LowerLayers, image: str, engine: Slow, _: Store) -> None:
        assert engine.held[image] == tuple(layer.diff_id for layer in lower.files)
        found.append(len(lower.files))

    monkeypatch.setattr(LowerLayers, "verify", verify)
    return found


def test_more_layers_are_loaded_after_the_first_and_all_are_verified(
    store: Store, verified: list[int]
) -> None:
    engine = Slow()
    engine.let.set()
    with preload(engine, store) as early:
        early.start(LOWER)
        early.wait()
        early.start(MORE)
        early.wait()
        early.wait_verified()
        assert verified == [2, 3]
        assert sorted(map(len, engine.held.values())) == [2, 3]
    assert not engine.held


def test_what_is_wrong_in_lower_layers_stops_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def differs(*_: object) -> None:
        raise VerificationError("the image does not match the lock")

    monkeypatch.setattr(LowerLayers, "verify", differs)
    engine = Slow()
    engine.let.set()
    with preload(engine, store) as early:
        early.start(LOWER)
        early.wait()
        early.wait_verified()
        assert engine.held


def test_a_build_that_hashes_everything_verifies_at_the_end(
    store: Store, verified: list[int]
) -> None:
    engine = Slow()
    engine.let.set()
    with LayerPreload(LOCK, engine=cast("Engine", engine), store=store, verified=False) as early:
        early.start(LOWER)
        early.wait()
    assert verified == []


PLANS = [LayerPlan(name, (name,)) for name in ("a", "b", "c")]


@pytest.mark.parametrize(
    ("sizes", "missing", "groups"),
    [
        ((2, 2, 2), "abc", ["a", "b", "c"]),
        ((2, 2, 0), "abc", ["a", "bc"]),
        ((0, 2, 2), "abc", ["ab", "c"]),
        ((2, 2, 2), "", ["abc"]),
        ((2, 2, 2), "a", ["abc"]),
        ((2, 2, 2), "b", ["a", "bc"]),
    ],
)
def test_layers_are_grouped_where_the_rest_has_still_to_be_made(
    store: Store, sizes: tuple[int, ...], missing: str, groups: list[str]
) -> None:
    pip = [
        PipPackage(
            source="pypi",
            file=f"{name}-1-py3-none-any.whl",
            size=max(size * WORTH // 2, 1),
            sha256="0" * 64,
            name=name,
            version="1",
            reason="test",
        )
        for name, size in zip("abc", sizes, strict=True)
    ]
    lock = make_lock(pip=pip)
    early = preload(Slow(), store)
    found = _groups(lock, PLANS, set(missing), early)
    assert ["".join(plan.title for plan in group) for group in found] == groups
    whole = preload(Slow(replace(INFO, name="podman")), store)
    assert _groups(lock, PLANS, set(missing), whole) == [PLANS]


def test_layers_are_there_after_waiting_and_until_the_end(store: Store) -> None:
    engine = Slow()
    with preload(engine, store) as early:
        early.start(LOWER)
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
        early.start(LOWER)
        early.wait()
    assert engine.removed == []


def test_an_error_meanwhile_leaves_nothing_in_the_engine(store: Store) -> None:
    engine = Slow()
    engine.let.set()

    def interrupted() -> None:
        with preload(engine, store) as early:
            early.start(LOWER)
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
        early.start(LOWER)
        early.wait()  # at once
    assert engine.removed == []


def test_what_the_engine_has_is_not_sent(store: Store) -> None:
    engine = Slow()
    engine.held["sha256:old"] = (BASE[0].diff_id, HEAVY.file.diff_id, "sha256:more")
    with preload(engine, store) as early:
        early.start(LOWER)
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

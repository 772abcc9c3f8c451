from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from freezer.engine.interface import EngineInfo, ImageInfo
from freezer.errors import IntegrityError
from freezer.fetch.store.store import Store
from freezer.image.base import engine_base, ensure_base, registry_name
from freezer.image.layout import BASE_REPOSITORY
from freezer.model.events import SilentReporter
from freezer.model.lock import BootstrapBase, RegistryBase
from tests.support.project.locks import make_lock, sha

CONFIG, MANIFEST, LAYER = (f"sha256:{sha(digit)}" for digit in "345")
PULLED = f"debian@{MANIFEST}"
OWN = f"{BASE_REPOSITORY}:{'3' * 12}"
BASE = RegistryBase(
    reference="debian:bookworm-slim", manifest=MANIFEST, config=CONFIG, diff_ids=(LAYER,)
)


def image(identity: str = CONFIG, *layers: str) -> ImageInfo:
    return ImageInfo(identity, layers or (LAYER,), (), (), 0, "amd64", "linux", {}, {}, "", "")


class Shelf:
    """An engine that holds some images by name and pulls others."""

    def __init__(
        self,
        held: dict[str, ImageInfo],
        pulls: ImageInfo | None = None,
        *,
        containerd: bool = False,
    ) -> None:
        self.held = held
        self.pulls = pulls
        self.pulled: list[tuple[str, str]] = []
        self.info = EngineInfo(
            "docker", "28", "1.47", "x86_64", "overlay2", True, "unix://", "", 2, 1, containerd
        )  # fmt: skip

    def image(self, reference: str) -> ImageInfo | None:
        return self.held.get(reference)

    def pull(self, reference: str, *, platform: str, report: object) -> ImageInfo:
        self.pulled.append((reference, platform))
        assert self.pulls is not None
        return self.pulls

    def tag(self, image_id: str, repository: str, tag: str) -> None:
        self.held[f"{repository}:{tag}"] = image(image_id)


class EmptyStore:
    """A store that holds nothing."""

    def has(self, sha256: str) -> bool:
        return False


def find(engine: Any, base: RegistryBase | BootstrapBase = BASE, *, store: Any = None) -> str:
    return engine_base(
        base, "linux/amd64", engine=engine, store=store or EmptyStore(), report=SilentReporter()
    )


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("debian:bookworm-slim", "debian"),
        ("debian", "debian"),
        (f"debian:12@sha256:{sha('9')}", "debian"),
        ("h:5000/a/b", "h:5000/a/b"),
        ("h:5000/a/b:t", "h:5000/a/b"),
        (f"h:5000/a@sha256:{sha('9')}", "h:5000/a"),
    ],
)
def test_a_base_is_pulled_by_digest(reference: str, name: str) -> None:
    assert registry_name(BASE.model_copy(update={"reference": reference})) == f"{name}@{MANIFEST}"


def test_a_base_that_is_there_is_not_pulled() -> None:
    engine = Shelf({PULLED: image()})
    assert find(engine) == PULLED
    assert not engine.pulled


def test_a_base_that_is_not_there_is_pulled_for_the_platform() -> None:
    engine = Shelf({}, image())
    assert find(engine) == PULLED
    assert engine.pulled == [(PULLED, "linux/amd64")]


def test_a_base_that_was_carried_here_without_a_registry_is_used() -> None:
    engine = Shelf({CONFIG: image()})
    assert find(engine) == OWN
    assert engine.held[OWN].id == CONFIG
    assert not engine.pulled


@pytest.mark.parametrize(
    "wrong", [image(f"sha256:{sha('9')}"), image(CONFIG, f"sha256:{sha('9')}"), image(CONFIG, LAYER, LAYER)]
)  # fmt: skip
def test_a_base_that_is_another_is_refused_with_both_digests(wrong: ImageInfo) -> None:
    for engine in (Shelf({PULLED: wrong}), Shelf({}, wrong), Shelf({CONFIG: wrong}, wrong)):
        with pytest.raises(IntegrityError, match="not the image that was locked") as caught:
            find(engine)
        assert wrong.id in (caught.value.found or "")
        assert CONFIG in (caught.value.expected or "")
        assert LAYER in (caught.value.expected or "")
        assert caught.value.hint


def test_an_engine_that_names_images_by_manifest_is_held_to_the_layers() -> None:
    other = f"sha256:{sha('9')}"
    assert find(Shelf({PULLED: image(MANIFEST)}, containerd=True)) == PULLED
    with pytest.raises(IntegrityError):
        find(Shelf({PULLED: image(MANIFEST, other)}, containerd=True))


def test_a_made_base_that_is_there_is_not_made_again() -> None:
    base = BootstrapBase(suite="bookworm", config=CONFIG, diff_ids=(LAYER,), packages=())
    assert find(Shelf({OWN: image()}), base) == OWN


def test_a_made_base_must_be_the_locked_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from freezer.engine.interface import LayerFile
    from freezer.image import base as module

    base = BootstrapBase(suite="bookworm", config=CONFIG, diff_ids=(LAYER,), packages=())
    made = (b"another config", LayerFile(LAYER, None))
    monkeypatch.setattr(module, "make_base", lambda *_, **__: made)
    # An image of that name which is another one is no reason to use it.
    engine = Shelf({OWN: image(CONFIG, f"sha256:{sha('9')}")})
    with pytest.raises(IntegrityError, match="made from the locked packages") as caught:
        find(engine, base, store=Store.open(tmp_path))
    assert CONFIG in (caught.value.expected or "")


def test_a_lock_is_enough() -> None:
    lock = make_lock()
    engine = Shelf({f"debian@{lock.base.manifest}": image(lock.base.config, *lock.base.diff_ids)})  # type: ignore[union-attr]
    reference = ensure_base(lock, engine=engine, store=Any, report=SilentReporter())  # type: ignore[arg-type]
    assert reference in engine.held

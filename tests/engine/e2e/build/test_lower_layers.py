"""Layers that are verified while others are loaded: in an image of them alone."""

import shutil
from collections.abc import Iterator
from dataclasses import replace

import pytest

from freezer.engine.interface import Engine, ImageInfo
from freezer.errors import VerificationError
from freezer.fetch.store.store import Store
from freezer.image.assemble.assemble import assemble, layout_of
from freezer.image.assemble.lower_layers import LowerLayers
from freezer.image.assemble.parts import Parts
from freezer.image.assemble.verified_layers import (
    EVERYTHING,
    VerificationScope,
    verification_scope,
)
from freezer.image.base import ensure_base
from freezer.image.build_container import working_image
from freezer.image.clock import epoch
from freezer.image.layers.bytecode import bytecode_chunks
from freezer.image.layers.order import plan_layers
from freezer.image.wheel.chunks import expected_files, wheel_chunks
from tests.support.debian.bases import SILENT
from tests.support.host.commands import Project

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive]


@pytest.fixture(scope="module")
def lower(built: Project, engine: Engine) -> LowerLayers:
    """Return the base, Debian's layer and the heaviest package's of a built lock."""
    lock, store = built.lock, Store(built.store)
    base = ensure_base(lock, engine=engine, store=store, report=SILENT)
    parts = assemble(lock, built.lock_id, base, engine=engine, store=store, report=SILENT)
    names = plan_layers(lock.pip)[0].packages
    heavy = [package for package in lock.pip if package.name in names]
    files = wheel_chunks(
        heavy, layout=layout_of(lock), epoch=epoch(lock.as_of), store=store, report=SILENT
    )
    compiled = bytecode_chunks(
        lock, files, lambda: "none is needed", engine=engine, store=store, report=SILENT
    )
    return LowerLayers(lock, parts.base, parts.layers[:2], [[*files, *compiled]])


@pytest.fixture
def image(lower: LowerLayers, engine: Engine, built: Project) -> Iterator[ImageInfo]:
    """Return an image of these layers alone."""
    store = Store(built.store)
    with working_image(
        lower.lock, lower.files, lower.titles, engine=engine, store=store, report=SILENT
    ) as name:
        found = engine.image(name)
        assert found is not None
        yield found


def scope(lower: LowerLayers, image: ImageInfo, engine: Engine, store: Store) -> VerificationScope:
    expected, origin = expected_files([[], *lower.contents], store)
    parts = Parts(tuple(lower.base), tuple(lower.layers), expected, origin)
    return verification_scope(engine.info, image, parts, store)


def test_lower_layers_are_verified_without_the_upper_ones(
    lower: LowerLayers, image: ImageInfo, engine: Engine, tmp_path_factory: pytest.TempPathFactory,
    built: Project,
) -> None:  # fmt: skip
    store = fresh(built, tmp_path_factory)
    assert scope(lower, image, engine, store) == EVERYTHING
    lower.verify(image.id, engine, store)
    if not image.folders:
        pytest.skip("this engine does not report where its layers are")
    assert scope(lower, image, engine, store) == VerificationScope(frozenset(), dpkg=False)


def test_layers_that_are_not_the_lock_s_are_not_marked(
    lower: LowerLayers, image: ImageInfo, engine: Engine, tmp_path_factory: pytest.TempPathFactory,
    built: Project,
) -> None:  # fmt: skip
    store = fresh(built, tmp_path_factory)
    without = replace(lower, contents=[lower.contents[0][:1]])  # no byte code is expected
    with pytest.raises(VerificationError, match="does not match the lock") as raised:
        without.verify(image.id, engine, store)
    assert "__pycache__" in raised.value.details[0]
    assert scope(lower, image, engine, store) == EVERYTHING


def fresh(built: Project, factory: pytest.TempPathFactory) -> Store:
    """Return a store with the same files, and no memo on what was verified."""
    root = factory.mktemp("store") / "store"
    shutil.copytree(
        built.store, root, ignore=shutil.ignore_patterns("verified-layer", "verified-image")
    )
    return Store(root)

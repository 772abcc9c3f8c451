"""All layers of a lock's image, each made once and taken from the store after that."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.engine.interface import LayerFile
from freezer.errors import EngineError
from freezer.image.bytecode import bytecode_chunks
from freezer.image.chunks import expected_files, wheel_chunks
from freezer.image.config import image_id, intermediate_config
from freezer.image.layers import Layer, order_chunks, plan_layers, report_clashes, write_layer
from freezer.image.layout import ENVIRONMENT
from freezer.image.moment import epoch
from freezer.image.sdist import built_wheel, is_wheel
from freezer.image.skeleton import skeleton_chunk
from freezer.image.system import system_layer
from freezer.image.wheel import Layout

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freezer.engine.interface import Engine
    from freezer.fetch.store import Store
    from freezer.image.chunks import Chunk
    from freezer.image.verify import Expected
    from freezer.model.events import Reporter
    from freezer.model.lock import Lock, PipPackage

SYSTEM_TITLE = "Debian packages"
_PATIENCE = 7200.0
"""Seconds to wait for another environment's build on the same base and Debian packages."""


@dataclass(frozen=True)
class Parts:
    """What an image is put together from."""

    base: tuple[LayerFile, ...]
    """The base's layers, which the engine holds."""
    layers: tuple[Layer, ...]
    """The layers above the base, lowest first."""
    expected: Mapping[str, Expected]
    """Every path that the environment and Freezer's part must hold."""


def assemble(
    lock: Lock,
    lock_id: str,
    base: str,
    *,
    engine: Engine,
    store: Store,
    report: Reporter,
    use_cache: bool = True,
) -> Parts:
    """Return the layers of a lock's image, from artifacts that are in the store.

    ``base`` is a name by which the engine knows the verified base. Raises ``BuildError`` when a
    step fails and ``IntegrityError`` for a package that cannot be installed safely.
    """
    system = system_layer(
        lock, lock_id, base, engine=engine, store=store, report=report, use_cache=use_cache
    )
    below = tuple(LayerFile(diff_id, None) for diff_id in lock.base.diff_ids)
    layers = [Layer(system, SYSTEM_TITLE, _size(system))]
    config = intermediate_config(lock, [(system.diff_id, SYSTEM_TITLE)])
    with store.lock(f"image-{image_id(config)[7:23]}", timeout=_PATIENCE, report=report):
        # Other environments with the same base and Debian packages use the same image.
        image = engine.load(config, [*below, system], report=report).id
        try:
            chunks = _package_chunks(lock, image, engine, store, report)
        finally:
            with suppress(EngineError):  # a build with another store may run in it; it removes it
                engine.remove_image(image)
    for plan, members in order_chunks(plan_layers(lock.pip), chunks):
        layers.append(write_layer(plan.title, members, store))
    own = skeleton_chunk(lock, _layout(lock), store)
    layers.append(write_layer(own.name, [own], store))
    every = [*(chunk for members in chunks.values() for chunk in members), own]
    return Parts(below, tuple(layers), expected_files(every, store))


def _package_chunks(
    lock: Lock, image: str, engine: Engine, store: Store, report: Reporter
) -> dict[str, list[Chunk]]:
    """Return the chunks of each Python package by name: its files, then their byte code."""
    wheels = [_wheel(lock, package, image, engine, store, report) for package in lock.pip]
    latest = epoch(lock.as_of)
    files = wheel_chunks(wheels, layout=_layout(lock), epoch=latest, store=store, report=report)
    report_clashes(files, store, report)
    compiled = bytecode_chunks(lock, files, image, engine=engine, store=store, report=report)
    pairs = zip(lock.pip, files, compiled, strict=True)
    return {package.name: [first, second] for package, first, second in pairs}


def _wheel(
    lock: Lock, package: PipPackage, image: str, engine: Engine, store: Store, report: Reporter
) -> PipPackage:
    if is_wheel(package):
        return package
    return built_wheel(lock, package, image, engine=engine, store=store, report=report)


def _layout(lock: Lock) -> Layout:
    return Layout(ENVIRONMENT, lock.target.python.minor)


def _size(layer: LayerFile) -> int:
    return layer.path.stat().st_size if layer.path is not None else 0

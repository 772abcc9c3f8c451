"""Assembles all layers of a lock's image; each is made once and reused from the store."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from freezer.engine.interface import LayerFile
from freezer.image.assemble.preload_layers import LEAST, LayerPreload
from freezer.image.assemble.steps import distributions, steps_layer
from freezer.image.build_container import WorkingImage, python_chunks
from freezer.image.clock import epoch
from freezer.image.conda.chunks import conda_chunks, history_chunk
from freezer.image.debian.system import system_layer
from freezer.image.layers.bytecode import bytecode_chunks, uncompiled
from freezer.image.layers.order import (
    Layer,
    LayerPlan,
    Weighed,
    order_chunks,
    plan_layers,
    report_clashes,
    write_layer,
)
from freezer.image.layers.skeleton import skeleton_chunk
from freezer.image.layout import ENVIRONMENT
from freezer.image.runtime import runtime_files
from freezer.image.wheel.chunks import expected_files, wheel_chunks
from freezer.image.wheel.install import Layout
from freezer.image.wheel.sdist import built_wheel, is_wheel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freezer.engine.interface import Engine
    from freezer.fetch.store.store import Store
    from freezer.image.verify import Expected
    from freezer.image.wheel.chunks import Chunk
    from freezer.model.events import Reporter
    from freezer.model.lock import Lock, PipPackage

SYSTEM_TITLE = "Debian packages"


@dataclass(frozen=True)
class Parts:
    """The parts of an image."""

    base: tuple[LayerFile, ...]
    """The base's layers, which are in the engine."""
    layers: tuple[Layer, ...]
    """The layers above the base, lowest first."""
    expected: Mapping[str, Expected]
    """Every path that the environment and Freezer's runtime must contain."""
    origin: Mapping[str, int] = field(default_factory=dict)
    """Index in ``layers`` of the layer with each of those paths."""
    distributions: frozenset[str] = frozenset()
    """Python distributions that the lock's steps installed, by normalised name."""


def assemble(
    lock: Lock,
    lock_id: str,
    base: str,
    *,
    engine: Engine,
    store: Store,
    report: Reporter,
    use_cache: bool = True,
    preload: LayerPreload | None = None,
) -> Parts:
    """Return the layers of a lock's image, from artifacts in the store.

    ``base`` is the engine's name of the verified base. ``preload``, if given, loads the heaviest
    layers while the others are being made. Raises ``BuildError`` when a step fails and
    ``IntegrityError`` for a package that cannot be installed safely.
    """
    runtime_files(lock, store)  # first, as the rest takes time
    system = system_layer(
        lock, lock_id, base, engine=engine, store=store, report=report, use_cache=use_cache
    )
    below = tuple(LayerFile(diff_id, None) for diff_id in lock.base.diff_ids)
    titles = [(system.diff_id, SYSTEM_TITLE)]
    first = Layer(system, SYSTEM_TITLE, _size(system))
    with WorkingImage(
        lock, (*below, system), titles, engine=engine, store=store, report=report
    ) as working:
        linked = _linked(lock, working, engine, store, report)
        # Order of the layers: of two packages with the same path, the upper one's file is visible.
        plans = plan_layers(_weighed(lock))
        report_clashes([linked[name] for plan in plans for name in plan.packages], store, report)
        chunks: dict[str, list[Chunk]] = {}
        layers = [first]
        for group in _groups(lock, plans, linked, store, preload):
            chunks |= _compiled(lock, group, linked, working, engine, store, report)
            layers += _written([(p.title, m) for p, m in order_chunks(group, chunks)], store)
            if preload is not None and len(group) < len(plans) and group[0] is plans[0]:
                preload.start(below, layers)
    ordered = order_chunks(plans, chunks)
    own = _own_chunks(lock, store)
    layers += _written([(own[-1].name, own)], store)
    contents = [[], *(members for _, members in ordered), own]
    expected, origin = expected_files(contents, store)
    made = steps_layer(
        lock, layers[:-1], expected, engine=engine, store=store, report=report, use_cache=use_cache
    )
    if made is None:
        return Parts(below, tuple(layers), expected, origin)
    layer, chunk = made
    expected, origin = expected_files([*contents[:-1], [chunk], own], store)
    layers = [*layers[:-1], layer, layers[-1]]
    return Parts(below, tuple(layers), expected, origin, distributions(chunk, store))


def _linked(
    lock: Lock, working: WorkingImage, engine: Engine, store: Store, report: Reporter
) -> dict[str, Chunk]:
    """Return the files of each package as a chunk, by the package's name in the plan."""
    latest, layout = epoch(lock.as_of), layout_of(lock)
    conda = conda_chunks(lock.conda, layout=layout, epoch=latest, store=store, report=report)
    working.python = python_chunks(lock, conda)
    wheels = [_wheel(lock, package, working, engine, store, report) for package in lock.pip]
    files = wheel_chunks(wheels, layout=layout, epoch=latest, store=store, report=report)
    names = [item.name for item in _weighed(lock)]
    return dict(zip(names, [*conda, *files], strict=True))


def _compiled(
    lock: Lock,
    group: Sequence[LayerPlan],
    linked: Mapping[str, Chunk],
    working: WorkingImage,
    engine: Engine,
    store: Store,
    report: Reporter,
) -> dict[str, list[Chunk]]:
    """Return the chunks of each package of some layers: its files, then its bytecode."""
    names = [name for plan in group for name in plan.packages]
    files = [linked[name] for name in names]
    compiled = bytecode_chunks(
        lock, files, working.interpreter, engine=engine, store=store, report=report
    )
    return {
        name: [first, second] for name, first, second in zip(names, files, compiled, strict=True)
    }


def _groups(
    lock: Lock,
    plans: Sequence[LayerPlan],
    linked: Mapping[str, Chunk],
    store: Store,
    preload: LayerPreload | None,
) -> list[Sequence[LayerPlan]]:
    """Return the layers in one group, or the heavier half first, to be preloaded.

    Splitting pays when that half is heavy and much of the rest has to be compiled.
    """
    sizes = [sum(linked[name].size for name in plan.packages) for plan in plans]
    half = next((n for n in range(len(plans)) if 2 * sum(sizes[:n]) >= sum(sizes)), len(plans))
    rest = [linked[name] for plan in plans[half:] for name in plan.packages]
    if preload is None or sum(sizes[:half]) < LEAST or uncompiled(lock, rest, store) < LEAST // 4:
        return [plans]
    return [plans[:half], plans[half:]]


def _written(titled: Sequence[tuple[str, Sequence[Chunk]]], store: Store) -> list[Layer]:
    with ThreadPoolExecutor(max_workers=2) as pool:  # hashing releases the GIL
        return list(pool.map(lambda item: write_layer(item[0], item[1], store), titled))


def _weighed(lock: Lock) -> list[Weighed]:
    """Return all packages as the layer plan names them; a pip package may have a conda name."""
    conda = (Weighed(f"{package.name} (conda)", package.size) for package in lock.conda)
    return [*conda, *(Weighed(package.name, package.size) for package in lock.pip)]


def _wheel(
    lock: Lock,
    package: PipPackage,
    working: WorkingImage,
    engine: Engine,
    store: Store,
    report: Reporter,
) -> PipPackage:
    if is_wheel(package):
        return package
    return built_wheel(lock, package, working.image(), engine=engine, store=store, report=report)


def _own_chunks(lock: Lock, store: Store) -> list[Chunk]:
    """Return the chunks that change with every lock: Freezer's runtime, conda's history."""
    layout = layout_of(lock)
    own = skeleton_chunk(lock, layout, store)
    if not lock.conda:
        return [own]
    return [history_chunk(lock.conda, layout=layout, epoch=epoch(lock.as_of), store=store), own]


def layout_of(lock: Lock) -> Layout:
    """Return where a lock's packages are installed."""
    return Layout(ENVIRONMENT, lock.target.python.minor)


def _size(layer: LayerFile) -> int:
    return layer.path.stat().st_size if layer.path is not None else 0

"""Assembles all layers of a lock's image; each is made once and reused from the store."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from freezer.engine.interface import LayerFile
from freezer.image.assemble.lower_layers import LowerLayers
from freezer.image.assemble.parts import Parts
from freezer.image.assemble.steps import distributions, steps_layer
from freezer.image.build_container import WorkingImage, python_chunks
from freezer.image.clock import epoch
from freezer.image.conda.chunks import conda_chunks, history_chunk
from freezer.image.debian.system import system_layer
from freezer.image.layers.bytecode import bytecode_chunks
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
from freezer.image.wheel.chunks import expected_files, linking
from freezer.image.wheel.install import Layout
from freezer.image.wheel.sdist import built_wheel, is_wheel

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from freezer.engine.interface import Engine
    from freezer.fetch.store.store import Store
    from freezer.image.assemble.preload_layers import LayerPreload
    from freezer.image.wheel.chunks import Chunk, Linking
    from freezer.model.events import Reporter
    from freezer.model.lock import Lock, PipPackage

SYSTEM_TITLE = "Debian packages"
HEAVY: Final = 40_000_000
"""Bytes of locked files that are worth a load of their own: two seconds of the engine's time."""


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
        plans = plan_layers(_weighed(lock))
        with _linking(lock, working, plans, engine, store, report) as linked:
            chunks: dict[str, list[Chunk]] = {}
            layers = [first]
            groups = _groups(lock, plans, linked.missing, preload)
            for group in groups:
                files = linked.wait(group)
                chunks |= _compiled(lock, files, working, engine, store, report)
                layers += _written([(p.title, m) for p, m in order_chunks(group, chunks)], store)
                if preload is not None and group is not groups[-1]:
                    inside = [m for _, m in order_chunks(plans[: len(layers) - 1], chunks)]
                    lower = LowerLayers(lock, below, tuple(layers), inside)
                    preload.start(lower)
    # Order of the layers: of two packages with the same path, the upper one's file is visible.
    report_clashes([chunks[name][0] for plan in plans for name in plan.packages], store, report)
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


class _Linked:
    """The packages of a lock as chunks, those of conda at once, wheels as they are linked."""

    def __init__(
        self, lock: Lock, conda: Sequence[Chunk], wheels: Linking, report: Reporter
    ) -> None:
        names = [item.name for item in _weighed(lock)]
        self._conda = dict(zip(names, conda, strict=False))
        self._pip = {package.name: package for package in lock.pip}
        self._wheels, self._report = wheels, report

    @property
    def missing(self) -> set[str]:
        """Names of the packages that are being linked, or will be."""
        return self._wheels.missing

    def wait(self, group: Sequence[LayerPlan]) -> dict[str, Chunk]:
        """Return the files of each package of some layers, by its name in the plan."""
        names = [name for plan in group for name in plan.packages]
        pip = [self._pip[name] for name in names if name not in self._conda]
        found = self._conda | self._wheels.wait(pip, self._report)
        return {name: found[name] for name in names}


@contextmanager
def _linking(
    lock: Lock,
    working: WorkingImage,
    plans: Sequence[LayerPlan],
    engine: Engine,
    store: Store,
    report: Reporter,
) -> Iterator[_Linked]:
    """Link a lock's packages while the block runs, those of the lowest layers first."""
    latest, layout = epoch(lock.as_of), layout_of(lock)
    conda = conda_chunks(lock.conda, layout=layout, epoch=latest, store=store, report=report)
    working.python = python_chunks(lock, conda)
    wheels = {one.name: _wheel(lock, one, working, engine, store, report) for one in lock.pip}
    ordered = [wheels[name] for plan in plans for name in plan.packages if name in wheels]
    with linking(ordered, layout=layout, epoch=latest, store=store) as linked:
        yield _Linked(lock, conda, linked, report)


def _compiled(
    lock: Lock,
    files: Mapping[str, Chunk],
    working: WorkingImage,
    engine: Engine,
    store: Store,
    report: Reporter,
) -> dict[str, list[Chunk]]:
    """Return the chunks of each package of some layers: its files, then its bytecode."""
    compiled = bytecode_chunks(
        lock, list(files.values()), working.interpreter, engine=engine, store=store, report=report
    )
    return {
        name: [first, second] for (name, first), second in zip(files.items(), compiled, strict=True)
    }


def _groups(
    lock: Lock,
    plans: Sequence[LayerPlan],
    missing: Collection[str],
    preload: LayerPreload | None,
) -> list[Sequence[LayerPlan]]:
    """Return the layers in groups, the lowest first.

    Each is compiled, written and preloaded while the next ones are linked. Ending a group pays when
    it is heavy, and when enough of the rest has still to be made.
    """
    if preload is None or not preload.useful:
        return [plans]
    sizes = {item.name: item.size for item in _weighed(lock)}
    groups: list[Sequence[LayerPlan]] = []
    first = 0
    for end in range(1, len(plans)):
        heavy = _size_of(plans[first:end], sizes) >= HEAVY
        if heavy and _size_of(plans[end:], sizes, missing) >= HEAVY // 4:
            groups.append(plans[first:end])
            first = end
    return [*groups, plans[first:]]


def _size_of(
    plans: Sequence[LayerPlan], sizes: Mapping[str, int], names: Collection[str] | None = None
) -> int:
    """Return the bytes of the locked files of some layers, or of the named packages in them."""
    found = (name for plan in plans for name in plan.packages)
    return sum(sizes[name] for name in found if names is None or name in names)


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

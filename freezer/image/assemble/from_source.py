"""One package built from source, in the environment's base, Debian packages and Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.engine.interface import LayerFile
from freezer.image.assemble.assemble import SYSTEM_TITLE, layout_of
from freezer.image.build_container import WorkingImage, python_chunks
from freezer.image.clock import epoch
from freezer.image.conda.chunks import conda_chunks
from freezer.image.debian.system import system_layer
from freezer.image.wheel.sdist import built_wheel

if TYPE_CHECKING:
    from freezer.engine.interface import Engine
    from freezer.fetch.store.store import Store
    from freezer.model.events import Reporter
    from freezer.model.lock import Lock, PipPackage


def build_from_source(
    lock: Lock, package: PipPackage, base: str, *, engine: Engine, store: Store, report: Reporter
) -> PipPackage:
    """Return a package as a wheel in the store, built without network.

    ``lock`` needs only what the build runs in: base, Debian packages, conda's, and a pip. ``base``
    is the engine's name of the verified base. All artifacts are in the store. Raises ``BuildError``
    with the end of the build's output.
    """
    system = system_layer(lock, _NOBODY, base, engine=engine, store=store, report=report)
    below = tuple(LayerFile(diff_id, None) for diff_id in lock.base.diff_ids)
    titles = [(system.diff_id, SYSTEM_TITLE)]
    with WorkingImage(
        lock, (*below, system), titles, engine=engine, store=store, report=report
    ) as working:
        conda = conda_chunks(
            lock.conda, layout=layout_of(lock), epoch=epoch(lock.as_of), store=store, report=report
        )
        working.python = python_chunks(lock, conda)
        return built_wheel(
            lock, package, working.image(), engine=engine, store=store, report=report
        )


_NOBODY = f"sha256:{'0' * 64}"
"""Label of working images that belong to no lock yet."""

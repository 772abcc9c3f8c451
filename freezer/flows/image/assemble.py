"""Makes the image of a lock: fetches, assembles, loads and verifies it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from freezer.engine.interface import SILENT
from freezer.errors import FreezerError
from freezer.flows.image.config_cache import keep_config
from freezer.flows.image.fetch import fetch_lock
from freezer.flows.image.inventory_cache import inventory_of, keep_inventory
from freezer.flows.project.image_runtime import require_runtime
from freezer.image.assemble.assemble import assemble
from freezer.image.assemble.inventory_key import inventory_key
from freezer.image.assemble.preload_layers import LayerPreload
from freezer.image.assemble.verified_layers import EVERYTHING, mark_verified, verification_scope
from freezer.image.base import ensure_base
from freezer.image.build_container import sweep_working_images
from freezer.image.oci.config import image_config
from freezer.image.verify import take_account, verify
from freezer.resolve.components.shared_libraries import missing_libraries

if TYPE_CHECKING:
    from freezer.engine.interface import Engine, ImageInfo
    from freezer.flows.project.environment import Locked
    from freezer.flows.project.project import Project
    from freezer.image.assemble.parts import Parts


def make(
    project: Project, locked: Locked, revision: str | None, *, everything: bool
) -> tuple[ImageInfo, Parts]:
    """Return a loaded and verified image, and its parts.

    It has no tag yet. With ``everything`` every file is hashed, even if it was before. Raises
    ``VerificationError`` when the image does not match the lock, and the errors of fetching and of
    the engine.
    """
    lock, engine, store = locked.lock, project.engine(), project.store
    require_runtime(project, lock)  # first, as the rest takes time
    fetch_lock(project, lock)
    for warning in missing_libraries(lock, store):
        project.report.warn(warning)
    reference = ensure_base(lock, engine=engine, store=store, report=project.report)
    with LayerPreload(lock, engine=engine, store=store, verified=not everything) as preload:
        parts = assemble(
            lock,
            locked.id,
            reference,
            engine=engine,
            store=store,
            report=project.report,
            preload=preload,
        )
        with project.report.task("Loading the image into the engine"):
            preload.wait()
        image = _load(project, locked, parts, revision)
        preload.wait_verified()
    sweep_working_images(engine, store)
    _verify(project, locked, image, parts, everything=everything)
    return image, parts


def _load(project: Project, locked: Locked, parts: Parts, revision: str | None) -> ImageInfo:
    lock, engine = locked.lock, project.engine()
    titles = [(item.file.diff_id, item.title) for item in parts.layers]
    config = image_config(lock, locked.id, titles, revision)
    layers = [*parts.base, *(item.file for item in parts.layers)]
    image = engine.load(config, layers, report=project.report)
    keep_config(project.store, image, config)
    return image


def _verify(
    project: Project,
    locked: Locked,
    image: ImageInfo,
    parts: Parts,
    *,
    everything: bool,
) -> None:
    engine, store = project.engine(), project.store
    with project.report.task("Comparing the image with the lock"):
        try:
            todo = (
                EVERYTHING if everything else verification_scope(engine.info, image, parts, store)
            )
            with ThreadPoolExecutor(max_workers=1) as pool:  # independent of each other
                silent = replace(project, report=SILENT)
                alike = None if everything else inventory_key(locked.lock, parts, store)
                looking = pool.submit(inventory_of, silent, image.id, alike=alike)
                account = take_account(
                    engine,
                    image.id,
                    hashed=todo.hashed,
                    expected=parts.expected,
                    dpkg=todo.dpkg,
                )
            verify(
                locked.lock,
                account,
                parts.expected,
                hashed=todo.hashed,
                more=parts.distributions,
            )
            mark_verified(engine.info, image, parts, store)
            looking.result()
            doubles = keep_inventory(project, locked, image.id).doubles
        except BaseException:
            _discard(engine, image)
            raise
    for double in doubles:
        project.report.warn(double)


def _discard(engine: Engine, image: ImageInfo) -> None:
    """Remove an image without a tag: nobody would find it, and it takes space."""
    if not image.tags:
        with suppress(FreezerError):  # the error that led here is more important
            engine.remove_image(image.id)

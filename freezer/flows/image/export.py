"""``freeze image``: an environment's image as a file that other tools load."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.engine.interface import LayerFile
from freezer.fetch.store.atomic import disk_errors, replacing
from freezer.flows.image.build import Built, build
from freezer.flows.project.image_runtime import require_runtime
from freezer.image.assemble.assemble import assemble
from freezer.image.base import ensure_base
from freezer.image.clock import epoch
from freezer.image.oci.archive import write_layout
from freezer.image.oci.config import image_config

if TYPE_CHECKING:
    from pathlib import Path

    from freezer.flows.project.project import Project


@dataclass(frozen=True)
class Exported:
    """An image that was written to a file."""

    built: Built
    path: Path
    manifest: str
    """Digest of the layout's manifest."""
    size: int
    """Bytes of the file."""


def export(project: Project, name: str | None, path: Path) -> Exported:
    """Write an environment's verified image as an OCI layout, atomically.

    Builds it first if it is missing. Raises the errors of building.
    """
    built = build(project, name)
    lock, lock_id = built.locked.lock, built.locked.id
    engine, store = project.engine(), project.store
    require_runtime(project, lock)
    reference = ensure_base(lock, engine=engine, store=store, report=project.report)
    parts = assemble(lock, lock_id, reference, engine=engine, store=store, report=project.report)
    config = image_config(lock, lock_id, [(item.file.diff_id, item.title) for item in parts.layers])
    with (
        store.scratch() as scratch,
        disk_errors(path.parent),
        project.report.task("Writing the image"),
        replacing(path) as stream,
    ):
        below = {item.diff_id: scratch / item.diff_id[7:] for item in parts.base}
        engine.save_layers(reference, below)
        layers = [LayerFile(diff_id, file) for diff_id, file in below.items()]
        layers += [item.file for item in parts.layers]
        manifest = write_layout(stream, built.tags[0], config, layers, epoch(lock.as_of))
    return Exported(built, path, manifest, path.stat().st_size)

"""``freeze build --render-only``: a context that a plain ``docker build`` can build."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.errors import HostError
from freezer.fetch.store.atomic import disk_errors
from freezer.flows.image.current_lock import load_current_lock
from freezer.flows.image.fetch import fetch_lock
from freezer.flows.project.image_runtime import require_runtime
from freezer.image.assemble.assemble import assemble
from freezer.image.assemble.steps import environment_layer, write_steps_folder
from freezer.image.base import ensure_base, registry_name
from freezer.image.debian.system import write_system_folder
from freezer.image.dockerfile import AddedLayer, render_dockerfile
from freezer.image.oci.config import image_labels

if TYPE_CHECKING:
    from pathlib import Path

    from freezer.flows.project.environment import Locked
    from freezer.flows.project.project import Project
    from freezer.image.layers.order import Layer

_DOCKERIGNORE = "# nothing is left out\n"


@dataclass(frozen=True)
class Context:
    """A rendered context."""

    folder: Path
    size: int
    """Bytes of all files."""


def render(project: Project, name: str | None, folder: Path) -> Context:
    """Write an environment's context to a new folder, atomically.

    Raises ``HostError`` when the folder exists and is not empty, and the errors of building.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise HostError(
            f"{folder} exists and is not empty", hint="name another folder, or remove it"
        )
    locked = load_current_lock(project, name)
    require_runtime(project, locked.lock)  # first, as the rest takes time
    fetch_lock(project, locked.lock)
    temporary = folder.absolute().with_name(f".{folder.name}.part")
    shutil.rmtree(temporary, ignore_errors=True)
    with disk_errors(temporary.parent):
        try:
            _write(project, locked, temporary)
            if folder.exists():
                folder.rmdir()
            temporary.replace(folder)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
    files = (path for path in folder.rglob("*") if path.is_file())
    return Context(folder, sum(path.stat().st_size for path in files))


def _write(project: Project, locked: Locked, folder: Path) -> None:
    lock, engine, store = locked.lock, project.engine(), project.store
    reference = ensure_base(lock, engine=engine, store=store, report=project.report)
    parts = assemble(lock, locked.id, reference, engine=engine, store=store, report=project.report)
    folder.mkdir(parents=True)
    (folder / "layers").mkdir()
    write_system_folder(lock, folder / "system", store)
    base_layer = None
    if lock.base.kind == "bootstrap":
        base_layer = "layers/base.tar"
        digest = lock.base.diff_ids[0]
        engine.save_layers(lock.base.config, {digest: folder / base_layer})
    packages, above = list(parts.layers[1:]), []
    if lock.steps is not None:
        write_steps_folder(lock.steps, folder / "steps", store)
        # The steps' layer is made by their commands; only Freezer's runtime comes above it.
        *packages, _, own = packages
        packages, above = [*packages, *environment_layer(lock, store)], [own]
    added = [_add(number, layer, folder) for number, layer in enumerate([*packages, *above], 1)]
    dockerfile = render_dockerfile(
        lock,
        locked.id,
        base_reference=registry_name(lock.base) if lock.base.kind == "registry" else None,
        base_layer=base_layer,
        layers=added[: len(packages)],
        above=added[len(packages) :],
        labels=image_labels(lock, locked.id),
    )
    (folder / "Dockerfile").write_text(dockerfile)
    (folder / ".dockerignore").write_text(_DOCKERIGNORE)


def _add(number: int, layer: Layer, folder: Path) -> AddedLayer:
    """Copy a layer into the context; the system layer is made by the Dockerfile's own step."""
    file = f"layers/{number:02}-{layer.file.diff_id[7:19]}.tar"
    if layer.file.path is not None:
        shutil.copyfile(layer.file.path, folder / file)
    return AddedLayer(file, layer.title)

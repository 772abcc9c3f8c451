"""Image configs, cached when an image is made: engines export them only with all layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from freezer.engine.interface import ImageInfo
    from freezer.fetch.store.store import Store
    from freezer.flows.project.project import Project

_MEMO = "image-config"


def keep_config(store: Store, image: ImageInfo, config: bytes) -> None:
    """Store the config of an image."""
    store.put_memo(_MEMO, image.id, store.put_bytes(config))


def config_of(project: Project, image: ImageInfo) -> bytes:
    """Return the config of an image in the engine. Raises ``EngineError``."""
    store = project.store
    kept = store.get_memo(_MEMO, image.id)
    sha256 = kept if isinstance(kept, str) else image.id.removeprefix("sha256:")
    if not store.has(sha256):
        with (
            store.scratch() as scratch,
            project.report.task("Exporting the config from the engine"),
        ):
            path = scratch / sha256
            project.engine().save_layers(image.id, {f"sha256:{sha256}": path})
            store.put_file(path, sha256=sha256, move=True)
    return store.verified(sha256).read_bytes()

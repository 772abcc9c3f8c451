"""``freeze images``: the images of a project, and the disk space that each takes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.image.layout import LOCK_LABEL
from freezer.model.canonical import digest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.engine.interface import ImageInfo
    from freezer.flows.project.project import Project

TITLE = "org.opencontainers.image.title"
"""Label with the environment's name."""
_CLOCK = "org.opencontainers.image.created"


@dataclass(frozen=True)
class LockImage:
    """An image of a lock in the engine."""

    environment: str
    lock_id: str
    as_of: str
    image: str
    tags: tuple[str, ...]
    size: int
    """Bytes of all of its layers."""
    shared: int
    """Bytes of layers shared with another of these images, above the same layers."""
    own: int
    """Bytes freed when it is removed."""


@dataclass(frozen=True)
class Images:
    """The images, and the space that they take together."""

    images: tuple[LockImage, ...]
    total: int
    """Bytes of all layers, each counted once."""


def images(project: Project, name: str | None) -> Images:
    """Return the engine's images of an environment, or of all of them, newest lock first."""
    engine = project.engine()
    found = [
        image
        for image in engine.images(label=LOCK_LABEL)
        if name is None or image.labels.get(TITLE) == name
    ]
    layers = {image.id: _layers(image, engine.layer_sizes(image.id)) for image in found}
    owners = Counter(diff_id for images in layers.values() for diff_id in images)
    rows = [_row(image, layers[image.id], owners) for image in found]
    rows.sort(key=lambda row: (row.environment, row.as_of, row.lock_id), reverse=True)
    total = {diff_id: size for images in layers.values() for diff_id, size in images.items()}
    return Images(tuple(rows), sum(total.values()))


def _layers(image: ImageInfo, sizes: tuple[int, ...]) -> dict[str, int]:
    """Return the bytes of each layer by chain ID.

    Engines keep a layer once for all images in which everything below it is the same.
    """
    if not sizes:
        return {image.id: image.size}
    return dict(zip(chains(image.diff_ids), sizes, strict=True))


def chains(diff_ids: Sequence[str]) -> list[str]:
    """Return an ID for each layer that includes everything below it, lowest first."""
    found, below = [], ""
    for diff_id in diff_ids:
        below = digest(f"{below} {diff_id}".encode())
        found.append(below)
    return found


def _row(image: ImageInfo, layers: dict[str, int], owners: Counter[str]) -> LockImage:
    own = sum(size for diff_id, size in layers.items() if owners[diff_id] == 1)
    size = sum(layers.values())
    return LockImage(
        environment=image.labels.get(TITLE, ""),
        lock_id=image.labels.get(LOCK_LABEL, ""),
        as_of=image.labels.get(_CLOCK, ""),
        image=image.id,
        tags=image.tags,
        size=size,
        shared=size - own,
        own=own,
    )

"""A common image ID for all engines: the digest of the config.

Docker's own stores and podman use it as the ID. containerd's store, the default of newer Docker
versions, uses the manifest digest, which depends on the compression of layers. There Freezer adds a
tag ``freezer-id:<digest of the config>`` to images that it loads, and reads the ID from it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from freezer.engine.interface import EngineInfo
    from freezer.engine.link import Link

REPOSITORY: Final = "freezer-id"
_ID: Final = re.compile(r"sha256:([0-9a-f]{64})")
_TAG: Final = re.compile(rf"{REPOSITORY}:([0-9a-f]{{64}})")


def id_tag(info: EngineInfo, image_id: str) -> str | None:
    """Return the tag with an image's ID; None when the engine's own ID is the config digest."""
    found = _ID.fullmatch(image_id) if info.containerd_store else None
    return f"{REPOSITORY}:{found[1]}" if found else None


def id_of_tags(tags: Iterable[str]) -> str | None:
    """Return the ID in one of an image's tags; None when there is none."""
    return next((f"sha256:{found[1]}" for tag in tags if (found := _TAG.fullmatch(tag))), None)


def is_id_tag(tag: str) -> bool:
    """Return whether a tag only serves as an ID."""
    return _TAG.fullmatch(tag) is not None


def handle(link: Link, reference: str) -> str:
    """Return the engine's name of an image that Freezer refers to by ID, tag or digest."""
    tag = id_tag(link.info, reference)
    if tag is None:
        return reference
    import docker.errors

    try:
        link.api.inspect_image(tag)
    except docker.errors.NotFound:
        return reference  # built or pulled: the ID is the manifest digest
    return tag

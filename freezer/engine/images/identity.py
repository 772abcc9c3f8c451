"""One name for an image on every engine: the digest of its config.

Docker's own stores and podman call an image by it. containerd's store, which newer Dockers use,
calls it by its manifest, which says how the layers are packed and so is not the same everywhere.
There a tag ``freezer-id:<digest of the config>`` is put on what Freezer loads, and read as its ID.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import docker.errors

if TYPE_CHECKING:
    from collections.abc import Iterable

    from freezer.engine.interface import EngineInfo
    from freezer.engine.link import Link

REPOSITORY: Final = "freezer-id"
_ID: Final = re.compile(r"sha256:([0-9a-f]{64})")
_TAG: Final = re.compile(rf"{REPOSITORY}:([0-9a-f]{{64}})")


def id_tag(info: EngineInfo, image_id: str) -> str | None:
    """Return the tag that says an image's ID; None where the engine itself does."""
    found = _ID.fullmatch(image_id) if info.containerd_store else None
    return f"{REPOSITORY}:{found[1]}" if found else None


def said_id(tags: Iterable[str]) -> str | None:
    """Return the ID that one of an image's tags says; None when none does."""
    return next((f"sha256:{found[1]}" for tag in tags if (found := _TAG.fullmatch(tag))), None)


def is_id_tag(tag: str) -> bool:
    """Return whether a tag is there only to say an ID."""
    return _TAG.fullmatch(tag) is not None


def handle(link: Link, reference: str) -> str:
    """Return by what the engine knows an image that Freezer calls by ID, tag or digest."""
    tag = id_tag(link.info, reference)
    if tag is None:
        return reference
    try:
        link.api.inspect_image(tag)
    except docker.errors.NotFound:
        return reference  # a builder made it or a registry gave it: the ID is its manifest's
    return tag

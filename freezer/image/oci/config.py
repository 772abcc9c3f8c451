"""The image's config: a function of the lock and of its layers' digests only.

Its SHA-256 is the image ID. It contains no build time, host name, builder history or git commit.
Format: https://github.com/opencontainers/image-spec/blob/main/config.md
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freezer.image.layout import (
    COMMAND,
    FORMAT_LABEL,
    HOME,
    LOCK_LABEL,
    REVISION_LABEL,
    STORE_LABEL,
    UID,
)
from freezer.model.canonical import digest, json_bytes
from freezer.model.lockfile import short_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.model.lock import Lock

_ARCHITECTURES = {"linux/amd64": "amd64", "linux/arm64": "arm64"}


def image_labels(lock: Lock, lock_id: str, revision: str | None = None) -> dict[str, str]:
    """Return the OCI labels; the user's own come first and cannot replace Freezer's.

    ``revision`` is a source commit, only if requested: it makes the image depend on more than the
    lock.
    """
    base_name = lock.base.reference if lock.base.kind == "registry" else "scratch"
    own = {REVISION_LABEL: revision} if revision else {}
    return {
        **lock.labels,
        **own,
        "org.opencontainers.image.title": lock.name,
        "org.opencontainers.image.version": short_id(lock_id),
        "org.opencontainers.image.created": lock.as_of,
        "org.opencontainers.image.base.name": base_name,
        "org.opencontainers.image.base.digest": (
            lock.base.manifest if lock.base.kind == "registry" else lock.base.config
        ),
        LOCK_LABEL: lock_id,
        FORMAT_LABEL: str(lock.image_format),
    }


def image_config(
    lock: Lock,
    lock_id: str,
    layers: Sequence[tuple[str, str]],
    revision: str | None = None,
) -> bytes:
    """Return the config of a lock's image.

    ``layers`` are pairs of diff ID and title of the layers above the base, lowest first.
    """
    config = {
        "Env": [f"{key}={value}" for key, value in sorted(lock.environment.items())],
        "User": f"{UID}:{UID}",
        "WorkingDir": HOME,
        "Cmd": list(COMMAND),
        "Labels": image_labels(lock, lock_id, revision),
    }
    return json_bytes(_document(lock, config, layers))


def intermediate_config(lock: Lock, layers: Sequence[tuple[str, str]], owner: str = "") -> bytes:
    """Return the config of an image for a build step: no user, no settings.

    ``owner`` distinguishes the images of several stores on one engine; each removes its own.
    """
    labels = {"Labels": {STORE_LABEL: owner}} if owner else {}
    return json_bytes(_document(lock, {"Env": [], "Cmd": ["/bin/sh"], **labels}, layers))


def image_id(config: bytes) -> str:
    """Return the image ID of a config."""
    return f"sha256:{digest(config)}"


def _document(
    lock: Lock, config: dict[str, Any], layers: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    titles = [f"base layer {index}" for index, _ in enumerate(lock.base.diff_ids, 1)]
    titles += [title for _, title in layers]
    return {
        "architecture": _ARCHITECTURES[lock.platform],
        "os": "linux",
        "created": lock.as_of,
        "config": config,
        "rootfs": {
            "type": "layers",
            "diff_ids": [*lock.base.diff_ids, *(diff_id for diff_id, _ in layers)],
        },
        "history": [{"created": lock.as_of, "created_by": f"freezer: {t}"} for t in titles],
    }

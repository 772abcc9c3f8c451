"""Documents of the OCI image format: pure, and the same bytes for the same content.

https://github.com/opencontainers/image-spec: ``manifest.md``, ``image-index.md``,
``descriptor.md``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from freezer.model.canonical import digest, json_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
INDEX: Final = "application/vnd.oci.image.index.v1+json"
CONFIG: Final = "application/vnd.oci.image.config.v1+json"
LAYER: Final = "application/vnd.oci.image.layer.v1.tar"
GZIP_LAYER: Final = "application/vnd.oci.image.layer.v1.tar+gzip"
EMPTY: Final = "application/vnd.oci.empty.v1+json"
EMPTY_DATA: Final = b"{}"
"""The config of what has none."""

Descriptor = dict[str, Any]


def descriptor(media: str, found: str, size: int, **more: Any) -> Descriptor:
    """Return a pointer to ``size`` bytes with the digest ``found``."""
    return {"mediaType": media, "digest": found, "size": size, **more}


def describe(media: str, data: bytes, **more: Any) -> Descriptor:
    """Return a pointer to some bytes."""
    return descriptor(media, sha256(data), len(data), **more)


def image_manifest(
    config: Descriptor, layers: Sequence[Descriptor], annotations: Mapping[str, str] | None = None
) -> bytes:
    """Return an image's manifest; ``layers`` lowest first."""
    return _manifest(config, layers, annotations or {})


def artifact_manifest(
    kind: str, files: Sequence[Descriptor], subject: Descriptor, annotations: Mapping[str, str]
) -> bytes:
    """Return the manifest of something that belongs to an image: ``subject`` points to it."""
    config = describe(EMPTY, EMPTY_DATA)
    return _manifest(config, files, annotations, artifactType=kind, subject=subject)


def index(manifests: Iterable[Descriptor]) -> bytes:
    """Return a list of manifests."""
    return json_bytes({"schemaVersion": 2, "mediaType": INDEX, "manifests": list(manifests)})


def sha256(data: bytes) -> str:
    """Return the digest of some bytes, as registries write it."""
    return f"sha256:{digest(data)}"


def _manifest(
    config: Descriptor, layers: Sequence[Descriptor], annotations: Mapping[str, str], **more: Any
) -> bytes:
    noted = {"annotations": dict(annotations)} if annotations else {}
    parts = {"config": config, "layers": list(layers), **noted, **more}
    return json_bytes({"schemaVersion": 2, "mediaType": MANIFEST, **parts})

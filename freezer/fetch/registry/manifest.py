"""Parses manifests and configs of images; input is untrusted.

Formats: https://github.com/opencontainers/image-spec and Docker's Image Manifest V2, Schema 2.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from freezer.errors import FreezerError, IntegrityError, ResolveError
from freezer.model.parsing import parse_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ACCEPTED = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_MANIFESTS = (ACCEPTED[1], ACCEPTED[3])
_INDEX_KEYS, _MANIFEST_KEYS = {"manifests"}, {"config", "layers"}
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Descriptor:
    """A reference to another document, by digest and size."""

    digest: str
    size: int


@dataclass(frozen=True)
class RemoteImage:
    """An image in a registry for one platform."""

    manifest: str
    """Digest of the platform's manifest, never of an index."""
    config: str
    layers: tuple[Descriptor, ...]
    """The layers as stored, mostly compressed, lowest first."""
    diff_ids: tuple[str, ...]
    environment: Mapping[str, str]
    labels: Mapping[str, str]
    user: str
    document: bytes
    """The config document."""


def sha256(data: bytes) -> str:
    """Return the digest of some bytes, as written in registries."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def require_digest(name: str, data: bytes, expected: str) -> None:
    """Raise ``IntegrityError`` unless some bytes have the digest that they were requested by."""
    found = sha256(data)
    if found != expected:
        raise IntegrityError(
            f"the registry served bytes of another digest for {name}",
            found=found,
            expected=expected,
            hint="do not use that registry, or the mirror before it, until you know why",
        )


def read(name: str, data: bytes) -> dict[str, Any]:
    """Parse a manifest or an index. Raises ``FreezerError`` for anything else."""
    document = _object(name, data)
    keys = set(document)
    if document.get("schemaVersion") == 1:
        raise ResolveError(
            f"{name} is an image of the old schema 1, which pins no layers",
            expected="an image of Docker's schema 2 or OCI's format",
            hint="pull it and push it again with a Docker of this decade, or choose another base",
        )
    index, manifest = keys & _INDEX_KEYS, keys & _MANIFEST_KEYS
    if bool(index) == bool(manifest):  # both: one digest would have two meanings (CVE-2021-41190)
        raise malformed(name, "neither clearly a manifest nor an index")
    return document


def is_index(document: Mapping[str, Any]) -> bool:
    """Return whether a document is an index of several platforms."""
    return "manifests" in document


@dataclass(frozen=True)
class Offered:
    """The contents of an index for a platform."""

    chosen: Descriptor | None
    """The manifest of the platform; None when no entry names it."""
    unnamed: tuple[Descriptor, ...]
    """Manifests of images without a platform, which OCI permits."""
    platforms: tuple[str, ...]
    """All platforms in the index."""


def of_platform(name: str, index: Mapping[str, Any], platform: str) -> Offered:
    """Return what an index has for a platform such as ``linux/amd64``. Raises ``ResolveError``."""
    entries = index["manifests"]
    if not isinstance(entries, list):
        raise malformed(name, "manifests that are no list")
    offered = [(_platform(name, entry), entry) for entry in entries]
    return Offered(
        next((descriptor(name, entry) for found, entry in offered if found == platform), None),
        tuple(descriptor(name, one) for found, one in offered if not found and _is_image(one)),
        tuple(found for found, _ in offered if found),
    )


def _is_image(entry: Mapping[str, Any]) -> bool:
    """Return whether an entry may be an image: attestations and artifacts are listed as well."""
    notes = entry.get("annotations")
    attests = isinstance(notes, dict) and "vnd.docker.reference.type" in notes
    return (
        entry.get("mediaType") in (None, *_MANIFESTS)
        and not attests
        and not entry.get("artifactType")
    )


def wrong_platform(name: str, platform: str, offered: Iterable[str]) -> ResolveError:
    """Return the error for an image that does not exist for a platform."""
    known = sorted({found for found in offered if found and "unknown" not in found})
    return ResolveError(
        f"the registry has no {name} for {platform}",
        found=", ".join(known) or "no platform at all",
        expected=platform,
        hint="set `platform` in freeze.yaml to one that there is, or choose another base",
    )


def descriptor(name: str, entry: Any) -> Descriptor:
    """Parse a descriptor in a document."""
    if isinstance(entry, dict):
        digest, size = entry.get("digest"), entry.get("size")
        named = isinstance(digest, str) and _DIGEST.fullmatch(digest)
        if named and type(size) is int and size >= 0:
            return Descriptor(str(digest), size)
    raise malformed(name, "a pointer without a sha256 digest and a size")


def layers(name: str, manifest: Mapping[str, Any]) -> tuple[Descriptor, ...]:
    """Return the descriptors of a manifest's layers, lowest first."""
    entries = manifest.get("layers")
    return tuple(descriptor(name, one) for one in entries) if isinstance(entries, list) else ()


def image(
    name: str, manifest: str, layers: tuple[Descriptor, ...], config: str, data: bytes
) -> RemoteImage:
    """Return an image from its verified config. Raises ``FreezerError`` for a malformed one."""
    document = _object(name, data)
    rootfs, settings = document.get("rootfs"), document.get("config") or {}
    diff_ids = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
    if not isinstance(diff_ids, list) or not isinstance(settings, dict):
        raise malformed(name, "a config without layers; perhaps no image but another artifact")
    if not all(isinstance(item, str) and _DIGEST.fullmatch(item) for item in diff_ids):
        raise malformed(name, "layers without sha256 digests")
    if len(diff_ids) != len(layers):
        found = f"{len(layers)} layers in the manifest, {len(diff_ids)} in the config"
        raise malformed(name, found)
    return RemoteImage(
        manifest=manifest,
        config=config,
        layers=layers,
        diff_ids=tuple(diff_ids),
        environment=_environment(settings.get("Env")),
        labels=_labels(settings.get("Labels")),
        user=str(settings.get("User") or ""),
        document=data,
    )


def platform_of(name: str, config: bytes) -> str:
    """Return the platform in a config."""
    document = _object(name, config)
    return f"{document.get('os')}/{document.get('architecture')}"


def malformed(name: str, found: str) -> FreezerError:
    """Return the error for a malformed document."""
    return ResolveError(
        f"the registry's description of {name} cannot be used",
        found=found,
        expected="an image of Docker's schema 2 or OCI's format",
        hint="have it built and pushed again, or choose another",
    )


def _object(name: str, data: bytes) -> dict[str, Any]:
    try:
        document = parse_json(data)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise malformed(name, "no JSON object")
    return document


def _platform(name: str, entry: Any) -> str:
    if not isinstance(entry, dict):
        raise malformed(name, "an entry that is no object")
    platform = entry.get("platform")
    if not isinstance(platform, dict):
        return ""
    found = f"{platform.get('os')}/{platform.get('architecture')}"
    # arm64 is always v8. amd64 has variants that not every machine runs; v1 is all of them.
    usual = {"linux/arm64": ("v8", "8"), "linux/amd64": ("v1",)}.get(found, ())
    variant = platform.get("variant")
    return found if not variant or variant in usual else f"{found}/{variant}"


def _labels(values: Any) -> dict[str, str]:
    pairs = values.items() if isinstance(values, dict) else ()
    return {key: value for key, value in pairs if isinstance(value, str)}


def _environment(values: Any) -> dict[str, str]:
    items = values if isinstance(values, list) else []
    pairs = [item.partition("=") for item in items if isinstance(item, str)]
    return {key: value for key, equals, value in pairs if equals}

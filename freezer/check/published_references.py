"""References published with their image in a registry, one artifact a numerics class.

A reference is recorded after the image was made, so it cannot be in it. A published reference may
be replaced: the new artifact names those it replaces, since registries rarely permit removal.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from freezer.model import oci

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

KIND: Final = "application/vnd.freezer.reference.v1"
MEDIA: Final = "application/vnd.freezer.record.v1+json"
CLASS: Final = "org.freezer.numerics-class"
LOCK: Final = "org.freezer.lock-id"
REPLACES: Final = "org.freezer.replaces"
_TITLE = "org.opencontainers.image.title"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_CLASS = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")


def reference_artifact(
    numerics_class: str,
    lock_id: str,
    data: bytes,
    subject: oci.Descriptor,
    replaces: Iterable[str] = (),
) -> bytes:
    """Return the manifest of a published reference; ``subject`` points to the image's manifest."""
    file = oci.describe(MEDIA, data, annotations={_TITLE: f"{numerics_class}.json"})
    replaced = sorted(replaces)
    annotations = {CLASS: numerics_class, LOCK: lock_id}
    if replaced:
        annotations[REPLACES] = ",".join(replaced)
    return oci.artifact_manifest(KIND, [file], subject, annotations)


def class_of(annotations: Mapping[str, str]) -> str | None:
    """Return the numerics class that an artifact claims."""
    claimed = annotations.get(CLASS, "")
    return claimed if _CLASS.fullmatch(claimed) else None


def current(artifacts: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return the digests of artifacts that no other one replaces, in order.

    ``artifacts`` are annotations by digest.
    """
    replaced = {
        digest
        for annotations in artifacts.values()
        for digest in _DIGEST.findall(annotations.get(REPLACES, ""))
    }
    kept = [digest for digest in artifacts if digest not in replaced]
    return kept or list(artifacts)  # they replace each other in a cycle: hide none

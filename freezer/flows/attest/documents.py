"""Documents about an image in its registry: bills of materials, provenance, signed statements.

Each is an OCI artifact whose ``subject`` is the image's manifest. Its bytes follow from the
document alone, so what is there is not sent again. A newer bill of materials, or unsigned
provenance, names the one that it replaces; signed statements all stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from freezer.check.published_references import LOCK, REPLACES, current
from freezer.errors import CheckError
from freezer.fetch.registry.pull import read_blob
from freezer.fetch.registry.referrers import attach, read_artifact
from freezer.flows.registry.references import put_small
from freezer.governance.attest.bundle import CONTENT, ENVELOPE, MEDIA, PREDICATE
from freezer.model import oci

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freezer.fetch.registry.push import Destination
    from freezer.fetch.registry.referrers import Attached
    from freezer.fetch.registry.repository import Repository

CYCLONEDX: Final = "application/vnd.cyclonedx+json"
SPDX: Final = "application/spdx+json"
PROVENANCE: Final = "application/vnd.in-toto+json"
KINDS: Final = (CYCLONEDX, SPDX, PROVENANCE, MEDIA)
"""Artifact types of documents; each artifact has one file of the same media type."""
LARGEST: Final = 64 << 20
"""Bytes of a document."""
LARGEST_BUNDLE: Final = 16 << 20
"""Bytes of a signed statement, of which an image may have many."""
MOST: Final = 100
"""Documents of one image that are read."""
_SHA256: Final = "org.freezer.content"
_TITLE: Final = "org.opencontainers.image.title"


@dataclass(frozen=True)
class Document:
    """A document about an image."""

    kind: str
    """Its artifact type, one of ``KINDS``."""
    name: str
    """A file's name for it."""
    data: bytes
    annotations: Mapping[str, str]

    def artifact(self, subject: oci.Descriptor, replaced: Sequence[str] = ()) -> bytes:
        """Return the manifest that attaches it to an image."""
        file = oci.describe(self.kind, self.data, annotations={_TITLE: self.name})
        noted = dict(self.annotations)
        if self.kind != MEDIA:
            noted[_SHA256] = oci.sha256(self.data)
        if replaced:
            noted[REPLACES] = ",".join(sorted(replaced))
        return oci.artifact_manifest(self.kind, [file], subject, noted)


def bundle_document(data: bytes, predicate_type: str) -> Document:
    """Return a signed statement as cosign attaches it; without the time of day, which repeats."""
    name = f"{oci.sha256(data).replace(':', '-')}.sigstore.json"
    return Document(MEDIA, name, data, {CONTENT: ENVELOPE, PREDICATE: predicate_type})


def lock_document(kind: str, name: str, data: bytes, lock_id: str) -> Document:
    """Return a document about a lock and its image that is not signed."""
    return Document(kind, name, data, {LOCK: lock_id})


def send_document(
    repository: Repository,
    destination: Destination,
    subject: oci.Descriptor,
    document: Document,
    there: Sequence[Attached],
) -> bool:
    """Attach a document unless it is there; return whether it was sent.

    ``there``: what is attached to the image. Raises ``FetchError``.
    """
    replaced = _replaced(document, there)
    if replaced is None:
        return False
    for data in (oci.EMPTY_DATA, document.data):
        put_small(destination, data)
    artifact = document.artifact(subject, replaced)
    if any(one.manifest.digest == oci.sha256(artifact) for one in there):
        return False
    attach(repository, destination, artifact, document.kind, subject["digest"])
    return True


def current_documents(there: Sequence[Attached], kind: str) -> list[Attached]:
    """Return the documents of a kind that no other one replaces."""
    own = {one.manifest.digest: one for one in there if one.kind == kind}
    if kind == MEDIA:
        return list(own.values())
    return [own[one] for one in current({key: one.annotations for key, one in own.items()})]


def read_document(repository: Repository, one: Attached, image: str) -> Document:
    """Return a document, verified by its digests. Raises ``FreezerError`` when it is none."""
    shown = f"document {one.manifest.digest[:19]} in {repository.name.repository}"
    files = read_artifact(repository, one, image)
    if len(files) != 1:
        raise CheckError(f"{shown} is not one file", found=f"{len(files)} files")
    limit = min(LARGEST, LARGEST_BUNDLE) if one.kind == MEDIA else LARGEST
    data = read_blob(repository, files[0], shown, limit)
    ends = {CYCLONEDX: "cdx.json", SPDX: "spdx.json", PROVENANCE: "intoto.json"}
    end = ends.get(one.kind, "sigstore.json")
    return Document(one.kind, f"{files[0].digest[7:19]}.{end}", data, one.annotations)


def _replaced(document: Document, there: Sequence[Attached]) -> list[str] | None:
    """Return the digests of the artifacts that a document replaces; None: it is there already."""
    if document.kind == MEDIA:
        return []
    own = [
        one
        for one in current_documents(there, document.kind)
        if one.annotations.get(LOCK) == document.annotations.get(LOCK)
    ]
    if any(one.annotations.get(_SHA256) == oci.sha256(document.data) for one in own):
        return None
    return [one.manifest.digest for one in own if _SHA256 in one.annotations]

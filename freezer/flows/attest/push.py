"""``freeze push``: an image, its references, and the documents about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.fetch.registry import manifest as documents
from freezer.fetch.registry.manifest import ACCEPTED
from freezer.fetch.registry.push import Destination
from freezer.fetch.registry.reference import parse_reference
from freezer.fetch.registry.referrers import attached
from freezer.fetch.registry.repository import Repository
from freezer.flows.attest.documents import (
    CYCLONEDX,
    PROVENANCE,
    SPDX,
    Document,
    bundle_document,
    current_documents,
    lock_document,
    send_document,
)
from freezer.flows.governance.attest import LARGEST, attestation_paths, make_provenance
from freezer.flows.governance.key_files import read_bounded
from freezer.flows.governance.sbom import make_sbom, sbom_text
from freezer.flows.registry.push import Pushed
from freezer.flows.registry.push import push as push_image
from freezer.governance.attest.bundle import as_bundles, verify_statement
from freezer.governance.attest.statement import parse_statement
from freezer.model import oci

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freezer.flows.governance.sbom import SbomMade
    from freezer.flows.project.project import Project


@dataclass(frozen=True)
class Published:
    """An image in a registry, with the documents about it."""

    image: Pushed
    documents: tuple[Document, ...]
    """All that belong to the lock: bills of materials, provenance, signed statements."""
    sent: int
    """How many of them had to be sent."""


def push(project: Project, name: str | None, reference: str) -> Published:
    """Push an image, and attach the documents about its lock that are not there.

    Raises what pushing raises, ``IntegrityError`` for a stored statement that is none.
    """
    made = make_sbom(project, name)
    signed = list(_signed(made, "provenance"))
    found = [*signed, *_signed(made, "check"), *_unsigned(project, made, provenance=not signed)]
    pushed = push_image(project, name, reference)
    target = parse_reference(pushed.name)
    repository = Repository(target, project.config, writes=True)
    subject = describe_image(repository)
    there = attached(repository, subject["digest"], None)
    destination = Destination(repository)
    sent = 0
    for document in found:
        kept = made.unread and current_documents(there, document.kind)
        if document.kind in (CYCLONEDX, SPDX) and kept:
            continue  # the one there was made where more licenses could be read
        sent += send_document(repository, destination, subject, document, there)
    return Published(pushed, tuple(found), sent)


def describe_image(repository: Repository) -> oci.Descriptor:
    """Return a pointer to the manifest that a repository's name names by digest, verified."""
    digest = str(repository.name.digest)
    shown = f"{repository.name.registry}/{repository.name.repository}@{digest}"
    data = repository.read(f"manifests/{digest}", shown, ", ".join(ACCEPTED))
    documents.require_digest(shown, data, digest)
    document = documents.read(shown, data)
    usual = oci.INDEX if documents.is_index(document) else oci.MANIFEST
    return oci.describe(str(document.get("mediaType") or usual), data)


def _signed(made: SbomMade, kind: str) -> Iterator[Document]:
    """Yield the statements of a kind that are stored next to a lock, as bundles."""
    locked = made.locked
    for path in attestation_paths(locked.folder, locked.id, kind):
        data = read_bounded(path, LARGEST)
        payload, _ = verify_statement(data, (), str(path))
        stated = parse_statement(payload, str(path))
        for bundle in as_bundles(data, str(path)):
            yield bundle_document(bundle, stated.predicate_type)


def _unsigned(project: Project, made: SbomMade, *, provenance: bool) -> Iterator[Document]:
    lock, identifier = made.locked.lock, made.locked.id
    for kind, form, end in (
        (CYCLONEDX, "cyclonedx", "cdx.json"),
        (SPDX, "spdx", "spdx.json"),
    ):
        text = sbom_text(project, made.sbom, form)  # type: ignore[arg-type]
        yield lock_document(kind, f"{lock.name}.{end}", text.encode(), identifier)
    if provenance:
        payload, _, _ = make_provenance(project, made.locked)
        yield lock_document(PROVENANCE, f"{lock.name}.intoto.json", payload, identifier)

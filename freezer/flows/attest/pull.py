"""``freeze pull``: an image, its references, and the documents about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.errors import FreezerError
from freezer.fetch.registry.reference import parse_reference
from freezer.fetch.registry.referrers import attached
from freezer.fetch.registry.repository import Repository
from freezer.flows.attest.documents import KINDS, MOST, current_documents, read_document
from freezer.flows.governance.key_files import write_file
from freezer.flows.registry.pull import HINT
from freezer.flows.registry.pull import pull as pull_image

if TYPE_CHECKING:
    from pathlib import Path

    from freezer.flows.attest.documents import Document
    from freezer.flows.project.project import Project
    from freezer.flows.registry.pull import Pulled


@dataclass(frozen=True)
class PulledWhole:
    """An image that came from a registry, and the documents about it."""

    image: Pulled
    documents: tuple[Document, ...]
    """Each verified by its digest; none of their signatures was."""


def pull(project: Project, reference: str, folder: Path | None = None) -> PulledWhole:
    """Pull an image by digest, and the documents that are attached to it.

    ``folder``: where to write them. A document that cannot be read gives a warning. Raises what
    pulling raises.
    """
    pulled = pull_image(project, reference)
    repository = Repository(parse_reference(pulled.name, HINT), project.config)
    found = read_documents(project, repository)
    if folder is not None:
        for document in found:
            write_file(folder / document.name, document.data)
    return PulledWhole(pulled, tuple(found))


def read_documents(project: Project, repository: Repository) -> list[Document]:
    """Return the documents about the image that a repository's name names by digest."""
    image = str(repository.name.digest)
    there = attached(repository, image, None)
    wanted = [one for kind in KINDS for one in current_documents(there, kind)]
    if len(wanted) > MOST:
        project.report.warn(f"the image has {len(wanted)} documents; {MOST} of them are read")
    found = []
    for one in wanted[:MOST]:
        try:
            found.append(read_document(repository, one, image))
        except FreezerError as error:
            project.report.warn(f"a document of type {one.kind} is left out: {error.what}")
    return found

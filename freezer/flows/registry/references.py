"""References in a registry: sent beside the image that they belong to, and found there again."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.check.compare.compare import compare
from freezer.check.published_references import KIND, class_of, current, reference_artifact
from freezer.check.reference import FOLDER, LARGEST, parse_reference, reference_path, references
from freezer.errors import CheckError, FreezerError
from freezer.fetch.registry.pull import read_blob
from freezer.fetch.registry.push import Blob
from freezer.fetch.registry.referrers import attach, attached, read_artifact
from freezer.model import oci
from freezer.model.record.verdict import Word

if TYPE_CHECKING:
    from freezer.fetch.registry.push import Destination
    from freezer.fetch.registry.referrers import Attached
    from freezer.fetch.registry.repository import Repository
    from freezer.flows.project.environment import Locked
    from freezer.flows.project.project import Project
    from freezer.model.events import Reporter
    from freezer.model.record.record import Record

_PLACE = "published-image"


@dataclass(frozen=True)
class Published:
    """A reference in a registry."""

    artifact: str
    """Digest of the artifact's manifest."""
    data: bytes
    record: Record


def published_classes(repository: Repository, image: str) -> dict[str, list[Attached]]:
    """Return what is published for an image's manifest, by numerics class, none of it read yet."""
    found = {one.manifest.digest: one for one in attached(repository, image, KIND)}
    classes: dict[str, list[Attached]] = {}
    for digest in current({digest: one.annotations for digest, one in found.items()}):
        numerics_class = class_of(found[digest].annotations)
        if numerics_class is not None:
            classes.setdefault(numerics_class, []).append(found[digest])
    return classes


def read_published(repository: Repository, one: Attached, image: str) -> Published:
    """Return a published reference. Raises ``FreezerError`` when it is none."""
    shown = f"reference {one.manifest.digest[:19]} in {repository.name.repository}"
    files = read_artifact(repository, one, image)
    if len(files) != 1:
        raise CheckError(
            f"{shown} is not one file", found=f"{len(files)} files", hint="push it again"
        )
    data = read_blob(repository, files[0], shown, LARGEST)
    return Published(one.manifest.digest, data, parse_reference(data, shown))


def read_class(repository: Repository, artifacts: list[Attached], image: str) -> Published:
    """Return what is published of one class.

    Raises ``CheckError`` when two pushes at once left two references whose numbers differ.
    """
    first, *others = (read_published(repository, one, image) for one in artifacts)
    for other in others:
        if compare(first.record, other.record).word is not Word.IDENTICAL:
            raise CheckError(
                "the registry holds two references of the same class with different numbers",
                found=f"{first.artifact[:19]} and {other.artifact[:19]}",
                hint="push again from the project that is right, or name one with --reference",
            )
    return first


def remember_published(project: Project, image: str, name: str) -> None:
    """Remember where an image may be had again: ``registry/repository@sha256:…``."""
    project.store.put_memo(_PLACE, image, name)


def place_of(project: Project, image: str) -> str | None:
    """Return where an image was pushed to or pulled from last; None when that is not known."""
    known = project.store.get_memo(_PLACE, image)
    return known if isinstance(known, str) else None


def own_references(locked: Locked) -> list[tuple[Record, bytes]]:
    """Return a lock's references and their files. Raises ``CheckError`` for a spoiled one."""
    paths = [reference_path(locked.folder, one) for one in references(locked.folder)]
    contents = [(path.name, path.read_bytes()) for path in paths]
    found = [(parse_reference(data, f"{FOLDER}/{name}"), data) for name, data in contents]
    # One of an earlier lock belongs to another image.
    return [(record, data) for record, data in found if record.lock_id == locked.id]


def publish(
    repository: Repository,
    destination: Destination,
    subject: oci.Descriptor,
    own: list[tuple[Record, bytes]],
    report: Reporter,
) -> int:
    """Send the references that are not there yet; return how many."""
    before = published_classes(repository, subject["digest"])
    sent = 0
    for record, data in own:
        numerics_class = record.host.class_
        known = before.get(numerics_class, [])
        there = [_readable(repository, one, subject["digest"]) for one in known]
        if any(one and compare(one, record).word is Word.IDENTICAL for one in there):
            continue
        if any(there):
            report.warn(
                f"the registry held other numbers of class {numerics_class} for this image; the "
                f"ones of {FOLDER}/{numerics_class}.json take their place"
            )
        _send(repository, destination, subject, record, data, known)
        sent += 1
    return sent


def _readable(repository: Repository, one: Attached, image: str) -> Record | None:
    """Return a published reference; None for one that is spoiled or gone, which is replaced."""
    try:
        return read_published(repository, one, image).record
    except FreezerError:
        return None


def _send(
    repository: Repository,
    destination: Destination,
    subject: oci.Descriptor,
    record: Record,
    data: bytes,
    replaced: list[Attached],
) -> None:
    for content in (oci.EMPTY_DATA, data):
        put_small(destination, content)
    artifact = reference_artifact(
        record.host.class_,
        record.lock_id,
        data,
        subject,
        [one.manifest.digest for one in replaced],
    )
    attach(repository, destination, artifact, KIND, subject["digest"])


def put_small(destination: Destination, data: bytes) -> bool:
    """Send a small blob unless it is there; say whether it was sent."""
    digest = oci.sha256(data)
    if destination.has_blob(digest):
        return False
    return destination.put_blob(Blob(digest, len(data), lambda: io.BytesIO(data)), lambda _: None)

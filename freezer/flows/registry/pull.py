"""``freeze pull``: the image of a lock from a registry, every byte verified, and its references."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.engine.interface import LayerFile
from freezer.errors import CheckError, FreezerError, SpecError
from freezer.fetch.registry.compressed_layers import decompress
from freezer.fetch.registry.inspect import describe
from freezer.fetch.registry.pull import fetch_blob
from freezer.fetch.registry.reference import parse_reference
from freezer.fetch.registry.repository import Repository
from freezer.fetch.store.atomic import store_errors
from freezer.flows.image.config_cache import keep_config
from freezer.flows.registry.references import published_classes, read_class, remember_published
from freezer.flows.support.concurrency import at_once
from freezer.image.layout import LOCK_LABEL
from freezer.model.lockfile import short_id

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from freezer.engine.interface import Engine, ImageInfo
    from freezer.fetch.registry.manifest import Descriptor, RemoteImage
    from freezer.flows.project.project import Project

HINT = "name it as `freeze push` printed it: registry.example.org/team/name@sha256:…"
_LOCK_ID = re.compile(r"[0-9a-f]{64}")
_PULLED = "pulled-image"
_REFERENCES = "pulled-references"
_PATIENCE = 7200.0
"""Seconds to wait for another pull of the same image."""


@dataclass(frozen=True)
class Pulled:
    """An image that came from a registry."""

    name: str
    """``registry/repository@sha256:…``, the digest as it was asked for."""
    image: str
    """The image's ID."""
    tag: str
    lock_id: str
    """What the image's label says; `freeze check` holds it against the lock in the image."""
    fetched: int
    """Bytes that had to be fetched."""
    fresh: bool
    """False when the engine had it."""
    classes: tuple[str, ...]
    """Numerics classes that there is a reference of."""


def pull(project: Project, reference: str) -> Pulled:
    """Bring an image into the engine by digest, verified, and its references into the store.

    Raises ``SpecError`` for a name without a digest, ``CheckError`` for an image that is not of a
    lock, ``IntegrityError`` when the registry serves other bytes, and what the registry and the
    engine raise.
    """
    target = parse_reference(reference, HINT)
    if target.digest is None:
        raise SpecError(f"{reference} names no digest, and a tag may move", hint=HINT)
    engine = project.engine()
    repository = Repository(target, project.config)
    remote = describe(repository, reference, engine.info.platform)
    lock_id = labelled_lock(reference, remote.labels)
    with project.store.lock(
        f"pull-{remote.config[7:23]}", timeout=_PATIENCE, report=project.report
    ):
        known = engine.image(remote.config)
        image, fetched = (known, 0) if known else _bring(project, repository, remote)
    place = f"{target.registry}/{target.repository}"
    tag = target.tag if _is_tagged(reference) else short_id(lock_id)
    engine.tag(image.id, place, tag)
    name = f"{place}@{target.digest}"
    project.store.put_memo(_PULLED, name, image.id)
    remember_published(project, image.id, name)
    return Pulled(
        name=name,
        image=image.id,
        tag=f"{place}:{tag}",
        lock_id=lock_id,
        fetched=fetched,
        fresh=known is None,
        classes=tuple(sorted(_keep_references(project, repository, remote.manifest, image.id))),
    )


def pulled_image(project: Project, reference: str) -> ImageInfo | None:
    """Return the image that was pulled by a name with a digest, if the engine still holds it."""
    target = parse_reference(reference, HINT)
    name = f"{target.registry}/{target.repository}@{target.digest}"
    known = project.store.get_memo(_PULLED, name)
    return project.engine().image(known) if isinstance(known, str) else None


def pulled_references(project: Project, image: str) -> dict[str, Path]:
    """Return the references that came beside an image, by numerics class."""
    known = project.store.get_memo(_REFERENCES, image)
    kept = known.items() if isinstance(known, dict) else ()
    return {
        str(numerics_class): project.store.verified(sha256)
        for numerics_class, sha256 in kept
        if isinstance(sha256, str) and project.store.has(sha256)
    }


def labelled_lock(reference: str, labels: Mapping[str, str]) -> str:
    """Return the ID of the lock that an image says it is of. Raises ``CheckError``."""
    said = labels.get(LOCK_LABEL, "")
    if not _LOCK_ID.fullmatch(said):
        raise CheckError(
            f"{reference} is not the image of a lock",
            found=f"no label {LOCK_LABEL} with a lock ID",
            hint="name an image that `freeze build` made",
        )
    return said


def _bring(project: Project, repository: Repository, remote: RemoteImage) -> tuple[ImageInfo, int]:
    """Fetch what the engine lacks, verify it, load it; return the image and the bytes fetched."""
    store, engine = project.store, project.engine()
    pairs = list(zip(remote.diff_ids, remote.layers, strict=True))
    held = _held(engine, remote.diff_ids)
    lacking = dict(pairs[held:])
    total = sum(blob.size for blob in lacking.values())
    with store.scratch() as scratch, store_errors(store.root):
        with project.report.task(
            f"Fetching {len(lacking)} layers", total=total, unit="bytes"
        ) as task:

            def fetch(layer: tuple[str, Descriptor], tell: Callable[[int], None]) -> None:
                path = fetch_blob(repository, layer[1], store=store, advance=tell)
                decompress(path, layer[0], scratch / layer[0][7:])

            at_once(fetch, lacking.items(), task.advance)
        layers = [LayerFile(diff_id, None) for diff_id, _ in pairs[:held]]
        layers += [LayerFile(diff_id, scratch / diff_id[7:]) for diff_id, _ in pairs[held:]]
        image = engine.load(remote.document, layers, report=project.report)
    keep_config(store, image, remote.document)
    return image, total


def _held(engine: Engine, diff_ids: tuple[str, ...]) -> int:
    """Return how many of the lowest layers the engine has below some image, in this order."""
    return max((_shared(diff_ids, image.diff_ids) for image in engine.images()), default=0)


def _shared(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    for count, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return count
    return min(len(one), len(other))


def _keep_references(
    project: Project, repository: Repository, manifest: str, image: str
) -> dict[str, str]:
    """Keep the references that are published for an image; return their hashes by class."""
    kept = {}
    for numerics_class, artifacts in published_classes(repository, manifest).items():
        try:
            read = read_class(repository, artifacts, manifest)
        except FreezerError as error:
            project.report.warn(f"a reference of class {numerics_class} is left out: {error.what}")
        else:
            kept[numerics_class] = project.store.put_bytes(read.data)
    project.store.put_memo(_REFERENCES, image, kept)
    return kept


def _is_tagged(reference: str) -> bool:
    return ":" in reference.partition("@")[0].rpartition("/")[2]

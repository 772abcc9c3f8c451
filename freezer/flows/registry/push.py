"""``freeze push``: the verified image of a lock, and its references, in a registry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.errors import CheckError, SpecError
from freezer.fetch.registry.compressed_layers import CompressedLayer, compress, known_compressed
from freezer.fetch.registry.push import Blob, Destination
from freezer.fetch.registry.reference import parse_reference
from freezer.fetch.registry.repository import Repository
from freezer.flows.history.recorded import ensure_references
from freezer.flows.image.build import verified_image
from freezer.flows.image.config_cache import config_of
from freezer.flows.image.current_lock import load_current_lock
from freezer.flows.registry.references import own_references, publish, put_small, remember_published
from freezer.flows.support.concurrency import at_once
from freezer.image.layout import LOCK_LABEL
from freezer.model import oci

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from freezer.engine.interface import ImageInfo
    from freezer.fetch.registry.reference import Reference
    from freezer.flows.project.environment import Locked
    from freezer.flows.project.project import Project

HINT = "name it as in registry.example.org/team/name:tag"
_WHERE = "pushed-to"
_MOST_PLACES = 4
"""Repositories that are remembered for a blob, to mount it from."""


@dataclass(frozen=True)
class Pushed:
    """An image in a registry."""

    locked: Locked
    image: str
    """The image's ID."""
    name: str
    """``registry/repository@sha256:…``"""
    tag: str
    size: int
    """Bytes of all of its layers in the registry."""
    layers: int
    sent: int
    """How many layers had to be sent."""
    sent_bytes: int
    references: int
    """How many references were sent."""
    fresh: bool
    """False when the registry had all of it, and the tag was there."""


def push(project: Project, name: str | None, reference: str) -> Pushed:
    """Push the verified image of an environment's lock, and its references beside it.

    What the registry has is not sent. Raises ``CheckError`` when there is no verified image,
    ``SpecError`` for a name that cannot be pushed to, and what the registry and the engine raise.
    """
    target = parse_reference(reference, HINT)
    if target.digest:
        raise SpecError(
            f"{reference} names a digest, which only what is there already has", hint=HINT
        )
    locked = load_current_lock(project, name)
    image = verified_image(project, locked)
    if image is None:
        raise CheckError(
            f"the engine holds no verified image of lock {locked.id[:12]}",
            hint=f"run `freeze build {locked.lock.name}`",
        )
    ensure_references(project, locked)
    references = own_references(locked)
    config = config_of(project, image)
    layers = _compressed(project, image)
    repository = Repository(
        target, project.config, writes=True, reads=_places(project, target, layers)
    )
    destination = Destination(repository)
    sent = _send_layers(project, target, destination, image, layers)
    fresh = bool(sent) | put_small(destination, config)
    manifest = oci.image_manifest(
        oci.describe(oci.CONFIG, config),
        [oci.descriptor(oci.GZIP_LAYER, one.digest, one.size) for one in layers],
        {LOCK_LABEL: locked.id},
    )
    subject = oci.describe(oci.MANIFEST, manifest)
    if destination.manifest(target.tag) != subject["digest"]:
        destination.put_manifest(manifest, oci.MANIFEST, target.tag)
        fresh = True
    published = publish(repository, destination, subject, references, project.report)
    name_here = f"{target.registry}/{target.repository}@{subject['digest']}"
    remember_published(project, image.id, name_here)
    return Pushed(
        locked=locked,
        image=image.id,
        name=name_here,
        tag=target.tag,
        size=sum(one.size for one in set(layers)),
        layers=len(layers),
        sent=len(sent),
        sent_bytes=sum(one.size for one in sent),
        references=published,
        fresh=fresh or bool(published),
    )


def _compressed(project: Project, image: ImageInfo) -> list[CompressedLayer]:
    """Return an image's layers as they go into a registry, compressed now or before."""
    known = {diff_id: known_compressed(project.store, diff_id) for diff_id in image.diff_ids}
    _pack(project, image, [diff_id for diff_id, packed in known.items() if packed is None])
    layers = [known_compressed(project.store, diff_id) for diff_id in image.diff_ids]
    return [layer for layer in layers if layer is not None]


def _pack(project: Project, image: ImageInfo, diff_ids: Sequence[str]) -> None:
    """Compress layers into the store, taking those that are not in it from the engine."""
    store = project.store
    if not diff_ids:
        return
    with store.scratch() as scratch:
        paths = {diff_id: store.path(diff_id.removeprefix("sha256:")) for diff_id in diff_ids}
        missing = {one: scratch / one[7:] for one, path in paths.items() if not path.is_file()}
        if missing:
            with project.report.task("Taking layers from the engine"):
                project.engine().save_layers(image.id, missing)
        paths |= missing
        total = sum(path.stat().st_size for path in paths.values())
        title = f"Compressing {_layers(len(paths))}"
        with project.report.task(title, total=total, unit="bytes") as task:
            first = _largest_first(paths)
            at_once(lambda one, tell: compress(store, one, paths[one], tell), first, task.advance)


def _largest_first(paths: dict[str, Path]) -> list[str]:
    return sorted(paths, key=lambda one: -paths[one].stat().st_size)


def _send_layers(
    project: Project,
    target: Reference,
    destination: Destination,
    image: ImageInfo,
    layers: Sequence[CompressedLayer],
) -> list[CompressedLayer]:
    """Send what the repository lacks; return what had to be sent."""
    store = project.store
    by_diff_id = dict(zip(image.diff_ids, layers, strict=True))
    there = at_once(lambda one, _: destination.has_blob(one.digest), by_diff_id.values())
    absent = {d: p for (d, p), has in zip(by_diff_id.items(), there, strict=True) if not has}
    _pack(project, image, [d for d, p in absent.items() if not store.has(_hash(p))])
    # Two layers may be the same blob.
    wanted = list(dict.fromkeys(absent.values()))
    if not wanted:
        _remember(project, target, layers)
        return []
    total = sum(packed.size for packed in wanted)
    title = f"Sending {_layers(len(wanted))}"
    with project.report.task(title, total=total, unit="bytes") as task:

        def send(packed: CompressedLayer, tell: Callable[[int], None]) -> bool:
            places = _pushed_to(project, target, packed)
            mount = next((one for one in places if one != target.repository), None)
            path = store.verified(_hash(packed))
            blob = Blob(packed.digest, packed.size, lambda: path.open("rb"))
            return destination.put_blob(blob, tell, mount=mount)

        done = at_once(send, wanted, task.advance)
    _remember(project, target, layers)
    return [packed for packed, sent in zip(wanted, done, strict=True) if sent]


def _places(project: Project, target: Reference, layers: Iterable[CompressedLayer]) -> list[str]:
    """Return the repositories of the registry that are known to hold some of the layers."""
    found = {place for layer in layers for place in _pushed_to(project, target, layer)}
    return sorted(found)[:_MOST_PLACES]


def _pushed_to(project: Project, target: Reference, packed: CompressedLayer) -> list[str]:
    known = project.store.get_memo(_WHERE, f"{target.registry}/{packed.digest}")
    return [str(place) for place in known] if isinstance(known, list) else []


def _remember(project: Project, target: Reference, layers: Iterable[CompressedLayer]) -> None:
    for packed in layers:
        known = _pushed_to(project, target, packed)
        if target.repository not in known:
            places = [target.repository, *known][:_MOST_PLACES]
            project.store.put_memo(_WHERE, f"{target.registry}/{packed.digest}", places)


def _hash(packed: CompressedLayer) -> str:
    return packed.digest.removeprefix("sha256:")


def _layers(count: int) -> str:
    return f"{count} layer{'s' if count != 1 else ''}"

"""``freeze build``: a lock becomes an image whose ID is a function of the lock alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING

from freezer.flows.image.current_lock import load_current_lock
from freezer.image.layout import LOCK_LABEL, REVISION_LABEL
from freezer.model.canonical import digest
from freezer.model.lockfile import short_id

if TYPE_CHECKING:
    from freezer.engine.interface import Engine, ImageInfo
    from freezer.flows.project.environment import Locked
    from freezer.flows.project.project import Project
    from freezer.image.assemble.assemble import Parts
    from freezer.model.lock import Lock

_VERIFIED = "verified-image"
_PATIENCE = 7200.0
"""Seconds to wait for another build of the same lock."""


@dataclass(frozen=True)
class Built:
    """An image that holds what its lock says."""

    locked: Locked
    image: str
    """The image's ID: the digest of its config."""
    tags: tuple[str, ...]
    fresh: bool
    """False when the engine had it already and nothing was done."""
    size: int
    """Bytes, as the engine counts."""
    seconds: float
    layers: tuple[tuple[str, str, int], ...] = field(default=())
    """Title, diff ID and bytes of each layer above the base; empty when nothing was done."""


def image_tags(lock: Lock, lock_id: str) -> tuple[str, str]:
    """Return the tags that an image gets: by lock, and ``latest``."""
    return f"{lock.name}:{short_id(lock_id)}", f"{lock.name}:latest"


def build(
    project: Project, name: str | None, *, force: bool = False, revision: str | None = None
) -> Built:
    """Build, load, verify and tag the image of an environment's lock.

    Nothing is tagged before it is verified. With ``force`` the image is assembled from its finished
    pieces, loaded and verified again although it is there; ``freezer.flows.image.rebuild`` makes
    the pieces anew as well. A ``revision`` (a commit) goes into the labels, and hence into the
    image ID. Raises ``VerificationError`` when the image does not hold what the lock says, and
    whatever fetching and the engine raise.
    """
    locked = load_current_lock(project, name)
    return build_locked(project, locked, force=force, revision=revision)


def build_locked(
    project: Project,
    locked: Locked,
    *,
    force: bool = False,
    revision: str | None = None,
    latest: bool = True,
) -> Built:
    """Build the image of a lock, the current one or one of the past, as `build` does.

    Without ``latest`` the tag of that name stays where it is.
    """
    started = monotonic()
    lock, lock_id = locked.lock, locked.id
    engine = project.engine()
    if not force and (known := existing_image(project, locked, revision)) is not None:
        tag(engine, known.id, lock, lock_id, latest=latest)
        return _built(locked, known, started, fresh=False)
    with project.store.lock(f"build-{lock_id}", timeout=_PATIENCE, report=project.report):
        # The one that was waited for may have made it.
        if not force and (known := existing_image(project, locked, revision)) is not None:
            tag(engine, known.id, lock, lock_id, latest=latest)
            return _built(locked, known, started, fresh=False)
        from freezer.flows.image.assemble import (
            make,  # brings all that builds, which is seldom needed
        )

        image, parts = make(project, locked, revision, everything=force)
        project.store.put_memo(_VERIFIED, _key(locked, revision), image.id)
        tag(engine, image.id, lock, lock_id, latest=latest)
        return _built(locked, image, started, fresh=True, parts=parts)


def existing_image(
    project: Project, locked: Locked, revision: str | None = None
) -> ImageInfo | None:
    """Return the lock's image if the engine holds it and it was verified before."""
    known = project.store.get_memo(_VERIFIED, _key(locked, revision))
    if not isinstance(known, str):
        return None
    image = project.engine().image(known)
    if image is None or image.labels.get(LOCK_LABEL) != locked.id:
        return None
    return image


def verified_image(project: Project, locked: Locked) -> ImageInfo | None:
    """Return a verified image of a lock: the plain one, or the one that its tag points at."""
    plain = existing_image(project, locked)
    if plain is not None:
        return plain
    tagged = project.engine().image(image_tags(locked.lock, locked.id)[0])
    if tagged is None:
        return None
    return existing_image(project, locked, tagged.labels.get(REVISION_LABEL))


def remember_verified(project: Project, locked: Locked, image: ImageInfo) -> None:
    """Take an image for verified whose ID the history tells: the ID is a digest of all of it."""
    key = _key(locked, image.labels.get(REVISION_LABEL))
    project.store.put_memo(_VERIFIED, key, image.id)


def _key(locked: Locked, revision: str | None) -> str:
    return locked.id if revision is None else f"{locked.id}-{digest(revision.encode())[:16]}"


def tag(engine: Engine, image: str, lock: Lock, lock_id: str, *, latest: bool = True) -> None:
    """Point the environment's tags at a verified image."""
    for reference in image_tags(lock, lock_id)[: 2 if latest else 1]:
        repository, _, label = reference.partition(":")
        engine.tag(image, repository, label)


def _built(
    locked: Locked, image: ImageInfo, started: float, *, fresh: bool, parts: Parts | None = None
) -> Built:
    layers = parts.layers if parts is not None else ()
    return Built(
        locked=locked,
        image=image.id,
        tags=image_tags(locked.lock, locked.id),
        fresh=fresh,
        size=image.size,
        seconds=monotonic() - started,
        layers=tuple((item.title, item.file.diff_id, item.size) for item in layers),
    )

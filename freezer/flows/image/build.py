"""``freeze build``: builds an image whose ID depends on the lock alone."""

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
    from freezer.image.assemble.parts import Parts
    from freezer.model.lock import Lock

_VERIFIED = "verified-image"
_PATIENCE = 7200.0
"""Maximum seconds to wait for another build of the same lock."""


@dataclass(frozen=True)
class Built:
    """A verified image of a lock."""

    locked: Locked
    image: str
    """The image's ID: the digest of its config."""
    tags: tuple[str, ...]
    fresh: bool
    """False when the engine had it already."""
    size: int
    """Bytes, as reported by the engine."""
    seconds: float
    layers: tuple[tuple[str, str, int], ...] = field(default=())
    """Title, diff ID and bytes of each layer above the base; empty when not ``fresh``."""


def image_tags(lock: Lock, lock_id: str) -> tuple[str, str]:
    """Return the tags of an image: the lock's, and ``latest``."""
    return f"{lock.name}:{short_id(lock_id)}", f"{lock.name}:latest"


def build(
    project: Project, name: str | None, *, force: bool = False, revision: str | None = None
) -> Built:
    """Build, load, verify and tag the image of an environment's lock.

    Only a verified image is tagged. With ``force`` an existing image is assembled from its stored
    chunks, loaded and verified again; ``freezer.flows.image.rebuild`` makes the chunks again as
    well. A ``revision`` (a commit) becomes a label, so the image ID depends on it. Raises
    ``VerificationError`` when the image does not match the lock, and the errors of fetching and of
    the engine.
    """
    locked = load_current_lock(project, name)
    project.require_allowed("build", locked.lock, locked.id)
    return build_locked(project, locked, force=force, revision=revision)


def build_locked(
    project: Project,
    locked: Locked,
    *,
    force: bool = False,
    revision: str | None = None,
    latest: bool = True,
) -> Built:
    """Build the image of a current or earlier lock, as `build` does.

    Without ``latest`` that tag is not changed.
    """
    started = monotonic()
    lock, lock_id = locked.lock, locked.id
    engine = project.engine()
    if not force and (known := existing_image(project, locked, revision)) is not None:
        _tag_known(engine, known, locked, latest=latest)
        return _built(locked, known, started, fresh=False)
    with project.store.lock(f"build-{lock_id}", timeout=_PATIENCE, report=project.report):
        # Another process may have built it while this one waited.
        if not force and (known := existing_image(project, locked, revision)) is not None:
            _tag_known(engine, known, locked, latest=latest)
            return _built(locked, known, started, fresh=False)
        from freezer.flows.image.assemble import (
            make,  # imports all of building, which is seldom needed
        )

        image, parts = make(project, locked, revision, everything=force)
        project.store.put_memo(_VERIFIED, _key(locked, revision), image.id)
        tag(engine, image.id, lock, lock_id, latest=latest)
        return _built(locked, image, started, fresh=True, parts=parts)


def existing_image(
    project: Project, locked: Locked, revision: str | None = None
) -> ImageInfo | None:
    """Return the lock's image if the engine has it and it was verified before."""
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
    """Mark an image as verified whose ID is in the history; the ID is a digest of its bytes."""
    key = _key(locked, image.labels.get(REVISION_LABEL))
    project.store.put_memo(_VERIFIED, key, image.id)


def _key(locked: Locked, revision: str | None) -> str:
    return locked.id if revision is None else f"{locked.id}-{digest(revision.encode())[:16]}"


def tag(engine: Engine, image: str, lock: Lock, lock_id: str, *, latest: bool = True) -> None:
    """Point the environment's tags at a verified image."""
    for reference in image_tags(lock, lock_id)[: 2 if latest else 1]:
        repository, _, label = reference.partition(":")
        engine.tag(image, repository, label)


def _tag_known(engine: Engine, image: ImageInfo, locked: Locked, *, latest: bool) -> None:
    """Point the tags at an image that was just looked up, unless all of them do."""
    wanted = image_tags(locked.lock, locked.id)[: 2 if latest else 1]
    if not set(wanted) <= set(image.tags):
        tag(engine, image.id, locked.lock, locked.id, latest=latest)


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

"""``freeze fetch``: every byte of a lock into the store, verified."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.errors import EngineError, IntegrityError, Where
from freezer.fetch.download import fetch_all
from freezer.flows.bases import base_apt_sources
from freezer.flows.sources import Workshop, artifact_sources
from freezer.flows.spec import Locked, load_locked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freezer.fetch.apt_sources import AptSource
    from freezer.model.artifact import Artifact
    from freezer.model.lock import Lock


@dataclass(frozen=True)
class Fetched:
    """What ``freeze fetch`` did."""

    locked: Locked
    files: int
    size: int
    """Bytes of all files."""
    new: int
    """Files that were not in the store before."""


def lock_artifacts(lock: Lock) -> Iterator[Artifact]:
    """Yield every artifact of a lock; the layers of a registry's base image are none."""
    if lock.base.kind == "bootstrap":
        yield from lock.base.packages
    yield from lock.debian
    for package in lock.pip:
        yield package
        yield from package.build_requires


def fetch(workshop: Workshop, name: str | None) -> Fetched:
    """Bring all artifacts of an environment into the store.

    Raises ``ArtifactGoneError`` naming all that no source has any more, ``IntegrityError`` when a
    source serves other bytes than the locked ones, ``FetchError`` when one is out of reach.
    """
    locked = load_locked(workshop.project, name)
    artifacts = {artifact.sha256: artifact for artifact in lock_artifacts(locked.lock)}
    missing = [sha256 for sha256 in artifacts if not workshop.store.has(sha256)]
    fetch_lock(workshop, locked.lock)
    return Fetched(
        locked=locked,
        files=len(artifacts),
        size=sum(artifact.size for artifact in artifacts.values()),
        new=len(missing),
    )


def fetch_lock(workshop: Workshop, lock: Lock) -> None:
    """Bring all artifacts of a lock into the store and verify those that are there."""
    files = {artifact.sha256: artifact.file for artifact in lock_artifacts(lock)}
    try:
        fetch_all(
            lock_artifacts(lock),
            store=workshop.store,
            sources=artifact_sources(
                workshop, lock.name, lock.as_of, lambda: _base_sources(workshop, lock)
            ),
            report=workshop.report,
        )
    except IntegrityError as error:
        if error.where is None and error.expected in files:  # the store knows only digests
            error.where = Where(files[error.expected])
        raise


def _base_sources(workshop: Workshop, lock: Lock) -> tuple[AptSource, ...]:
    """Return where the base itself fetches from: a host need not have apt, and may be elsewhere.

    Where there is no engine to ask the base, there is simply one source less.
    """
    if lock.base.kind != "registry":
        return ()
    try:
        return base_apt_sources(workshop, lock.base, lock.platform)
    except EngineError as error:
        workshop.report.debug(f"the base's own apt sources could not be read: {error.what}")
        return ()

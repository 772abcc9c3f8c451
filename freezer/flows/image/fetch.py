"""``freeze fetch``: fetches all artifacts of a lock into the store and verifies them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from freezer.ecosystems import lock_artifacts
from freezer.errors import ArtifactGoneError, EngineError, FetchError, IntegrityError, Where
from freezer.fetch.store.download import fetch_all
from freezer.flows.image.current_lock import load_current_lock
from freezer.flows.project.image_runtime import fetch_runtime
from freezer.flows.project.user_files import fetch_user_files
from freezer.resolve.python.true_metadata import require_true_metadata

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.fetch.debian.apt_sources import AptSource
    from freezer.fetch.python.index import PythonIndex
    from freezer.fetch.store.interface import Source
    from freezer.flows.project.environment import Locked
    from freezer.flows.project.project import Project
    from freezer.model.lock import Lock


_NAMED: Final = 10
"""Maximum corrupt files in a warning."""


@dataclass(frozen=True)
class Fetched:
    """The result of ``freeze fetch``."""

    locked: Locked
    files: int
    size: int
    """Bytes of all files."""
    new: int
    """Files that were not in the store before."""


def fetch(project: Project, name: str | None) -> Fetched:
    """Fetch all artifacts of an environment into the store.

    Raises ``ArtifactGoneError`` with all that no source has any more, ``IntegrityError`` when a
    source serves other bytes than the locked ones, ``FetchError`` when one cannot be reached.
    """
    locked = load_current_lock(project, name)
    artifacts = {artifact.sha256: artifact for artifact in lock_artifacts(locked.lock)}
    missing = [sha256 for sha256 in artifacts if not project.store.has(sha256)]
    fetch_lock(project, locked.lock)
    return Fetched(
        locked=locked,
        files=len(artifacts),
        size=sum(artifact.size for artifact in artifacts.values()),
        new=len(missing),
    )


def fetch_lock(project: Project, lock: Lock) -> None:
    """Fetch all artifacts of a lock into the store and verify those that are there."""
    fetch_user_files(project, lock)
    fetch_runtime(project, lock)
    files = {artifact.sha256: artifact.file for artifact in lock_artifacts(lock)}
    missing = {sha256 for sha256 in files if not project.store.has(sha256)}
    _report_corrupt(project, [files[one] for one in sorted(missing & project.store.spoiled)])
    # Collecting the sources runs pip for its configuration, which takes time.
    sources = _sources(project, lock) if missing else ()
    try:
        _rebuild_git(project, lock, sources)
        fetch_all(lock_artifacts(lock), store=project.store, sources=sources, report=project.report)
    except ArtifactGoneError as error:
        raise _with_nearest(project, lock, error) from error
    except IntegrityError as error:
        if error.where is None and error.expected in files:  # the store has digests only
            error.where = Where(files[error.expected])
        raise

    def index() -> PythonIndex:
        """Return the source with pages that were read already, or a new one."""
        from freezer.fetch.python.index import PythonIndex
        from freezer.flows.lock.sources import requirements_if_any

        options = requirements_if_any(project, lock.name).pip.options
        read = (one for one in sources if isinstance(one, PythonIndex))
        return next(read, None) or PythonIndex.from_config(project.config, options)

    for warning in require_true_metadata(lock, missing, index=index, store=project.store):
        project.report.warn(warning)


def _report_corrupt(project: Project, names: list[str]) -> None:
    """Warn once of all files in the store whose bytes had changed."""
    if names:
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        project.report.warn(
            f"{len(names)} file{'s' if len(names) > 1 else ''} in the store had been changed, and "
            f"will be fetched again: {', '.join(names[:_NAMED])}{more}"
        )


def _rebuild_git(project: Project, lock: Lock, sources: Sequence[Source]) -> None:
    """Build wheels from git that the store lacks: no index has them."""
    for package in lock.pip:
        if package.source == "git" and not project.store.has(package.sha256):
            from freezer.flows.lock.source.git import rebuild_git_wheel

            rebuild_git_wheel(project, lock, package, sources)


def _sources(project: Project, lock: Lock) -> tuple[Source, ...]:
    from freezer.flows.lock.sources import artifact_sources, requirements_if_any  # loads the spec

    requirements = requirements_if_any(project, lock.name)
    return artifact_sources(project, requirements, lock.as_of, lambda: _base_sources(project, lock))


def _with_nearest(project: Project, lock: Lock, error: ArtifactGoneError) -> ArtifactGoneError:
    """Add the most similar packages of their channel to an error on removed ones."""
    missing = [item for item in lock.conda if any(item.file in text for text in error.details)]
    if not missing:
        return error
    from freezer.flows.lock.sources import spec_channels
    from freezer.resolve.conda.solver.virtual_packages import SUBDIRS
    from freezer.resolve.conda.takeover.complete import removed_from_channels

    try:
        found = removed_from_channels(
            missing,
            spec_channels(project, lock.name),
            subdir=SUBDIRS[lock.platform],
            store=project.store,
            report=project.report,
        )
    except FetchError:
        return error  # the missing packages are known; similar ones are not
    named = {(item.name, item.version, item.build) for item in found}
    listed = [item for item in missing if (item.name, item.version, item.build) not in named]
    others = [text for text in error.details if not any(item.file in text for item in missing)]
    return ArtifactGoneError(
        error.what,
        where=error.where,
        details=[
            *map(str, found),
            *(
                f"{item.file} ({item.channel}): the channel lists it but does not have it"
                for item in listed
            ),
            *others,
        ],
        hint=f"`freeze lock {lock.name}` keeps all else; or configure a mirror that still has them",
    )


def _base_sources(project: Project, lock: Lock) -> tuple[AptSource, ...]:
    """Return the base's own sources: the host may have no apt, or other mirrors.

    Empty without an engine.
    """
    if lock.base.kind != "registry":
        return ()
    from freezer.flows.lock.base import base_apt_sources

    try:
        return base_apt_sources(project, lock.base, lock.platform)
    except EngineError as error:
        project.report.debug(f"the base's own apt sources could not be read: {error.what}")
        return ()

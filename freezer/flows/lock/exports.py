"""Files next to a lock for conda's tools.

They are derived from the lock and, when a channel has a URL of its own, from the spec.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from freezer.errors import LockError, Where
from freezer.flows.history.lock_files import CONDA_EXPORTS, EXPLICIT_FILES
from freezer.model.canonical import digest, json_bytes
from freezer.model.lockfile import LOCK_FILE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freezer.fetch.conda.channels import CondaChannel
    from freezer.flows.project.project import Project
    from freezer.model.lock import Lock
    from freezer.resolve.conda.environment import CondaRequirements
    from freezer.resolve.conda.solver.interface import CondaRequirement

_MEMO: Final = "conda-export-2"


def conda_exports(
    project: Project, conda: Mapping[str, CondaRequirements], lock: Lock, identifier: str
) -> dict[str, bytes]:
    """Return the exports for conda's tools that are stored next to a lock, by name.

    ``conda`` are the spec's requirements by platform, ``identifier`` is the lock's ID.
    """
    # Where conda-lock has to compute the content hash it takes half a second to load.
    from freezer.flows.lock.conda import channels_of

    channels = channels_of(conda)
    addresses = [[item.name, item.address] for item in channels]
    lines = [item.lines for item in conda.values()]
    key = digest(json_bytes([identifier, addresses, lines]))
    known = project.store.get_memo(_MEMO, key, dict[str, str])
    if (
        known is not None
        and known.keys() <= CONDA_EXPORTS
        and all(project.store.has(sha256) for sha256 in known.values())
    ):
        found = {name: project.store.verified(sha256) for name, sha256 in known.items()}
        return {name: path.read_bytes() for name, path in found.items()}
    made = _conda(project, lock, conda, channels)
    kept = {name: project.store.put_bytes(data) for name, data in made.items()}
    project.store.put_memo(_MEMO, key, kept)
    return made


def _conda(
    project: Project,
    lock: Lock,
    conda: Mapping[str, CondaRequirements],
    channels: tuple[CondaChannel, ...],
) -> dict[str, bytes]:
    from freezer.resolve.conda import export

    platforms = (lock.platform, *lock.conda_elsewhere)
    files = {
        EXPLICIT_FILES[platform]: export.explicit_text(lock, platform, channels).encode()
        for platform in platforms
    }
    specs = conda[lock.platform].specs or _pins(lock)
    source = export.environment_yaml(channels, specs)
    files[export.SOURCE_FILE] = source
    files[export.VIRTUAL_FILE] = export.virtual_packages_yaml(lock)
    try:
        files[export.LOCK_FILE] = export.conda_lock_yaml(lock, channels, source)
    except LockError as error:
        project.report.warn(f"no {export.LOCK_FILE} is written: {error}")
    return files


def _pins(lock: Lock) -> tuple[CondaRequirement, ...]:
    """Return requirements for packages of an existing lock, which have none of their own."""
    from freezer.resolve.conda.solver.interface import CondaRequirement

    where = Where(LOCK_FILE)
    return tuple(
        CondaRequirement(f"{item.name}={item.version}={item.build}", where)
        for item in lock.conda
        if item.requested
    )

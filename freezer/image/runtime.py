"""The files of Freezer's runtime for a lock: this version's, or stored ones."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from freezer.errors import HostError, LockError
from freezer.inside import inside_digest, inside_files
from freezer.model.image_runtime import LARGEST, require_interface, unpack

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from freezer.fetch.store.store import Store
    from freezer.model.lock import Lock


def runtime_files(lock: Lock, store: Store) -> Mapping[str, bytes]:
    """Return the files by path, such as ``freezer_inside/smoke.py``, with the lock's digest.

    Raises ``LockError`` when neither this Freezer nor the store has those files, or when their
    interface is not supported, and ``IntegrityError`` for edited files.
    """
    require_interface(lock.inside)
    if lock.inside.sha256 == inside_digest()[1]:
        return inside_files()
    try:
        path = store.verified(lock.inside.sha256)
    except HostError:
        raise _missing(lock) from None
    return _unpacked(path)


@lru_cache(maxsize=8)  # a build reads it for every package, and the path is its hash
def _unpacked(path: Path) -> Mapping[str, bytes]:
    with path.open("rb") as stream:
        data = stream.read(LARGEST + 1)  # a lock may name any file of the store
    return unpack(data, path.name, f"the store's {path.name[:12]}")


def _missing(lock: Lock) -> LockError:
    sha256, (version, own) = lock.inside.sha256, inside_digest()
    kept = f"lockfiles/{lock.name}/inside/{sha256}"
    return LockError(
        "the lock was made with another version of Freezer's runtime, which is not available",
        found=f"freezer_inside {version}, sha256 {own[:12]}, and no file {kept}",
        expected=f"freezer_inside {lock.inside.version}, sha256 {sha256[:12]}",
        hint=f"get that file from version control, or from the lock's author (a bundle has it); "
        f"or build with the Freezer that made it; or run `freeze lock {lock.name}`",
    )

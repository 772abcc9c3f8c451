"""Freezer's runtime, kept with the locks that name it: a later version of Freezer has another.

It is stored in ``lockfiles/ENV/inside/`` under its SHA-256, once for all generations that name it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from freezer.errors import FreezerError, HostError, IntegrityError, Where
from freezer.fetch.store.atomic import disk_errors, write_atomically
from freezer.flows.project.environment import LOCKS
from freezer.image.runtime import runtime_files
from freezer.inside import INTERFACE, inside_bytes, inside_digest
from freezer.model.canonical import digest
from freezer.model.file_names import INSIDE
from freezer.model.image_runtime import FIRST, LARGEST
from freezer.model.lock import ImageRuntime

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from freezer.flows.project.project import Project
    from freezer.model.lock import Lock, SmokePlan


def installed_runtime() -> ImageRuntime:
    """Return the runtime of this version of Freezer, as a lock names it."""
    version, sha256 = inside_digest()
    return ImageRuntime(
        version=version, sha256=sha256, interface=INTERFACE if INTERFACE > FIRST else None
    )


def runtime_for(project: Project, plan: SmokePlan, old: Lock | None, *, keep: bool) -> ImageRuntime:
    """Return the runtime that a new lock names: by default that of this version of Freezer.

    An update of single packages keeps the old lock's runtime (``keep``): only where the same
    trainings ran can a change of results be attributed to the packages.
    """
    own = installed_runtime()
    if old is None or not keep or old.inside == own:
        return own
    wanted = {f"freezer_inside/{name}_training.py" for name in plan.trainings}
    if runtime_fault(project, old) is None and wanted <= runtime_files(old, project.store).keys():
        return old.inside
    project.report.note("Also moves: Freezer's runtime, as the old one is gone")
    return own


def keep_runtime(project: Project, lock: Lock) -> None:
    """Store the runtime that a lock names with the project and in the store, where it is available.

    Raises ``HostError`` where it cannot be written, and ``IntegrityError`` for a spoiled store.
    """
    with suppress(IntegrityError):  # an edited copy is replaced, if the bytes are anywhere else
        fetch_runtime(project, lock)
    store, sha256 = project.store, lock.inside.sha256
    path = project.root / LOCKS / lock.name / INSIDE / sha256
    if not store.has(sha256) or _read(path, sha256) is not None:
        return
    held = store.verified(sha256)
    if held.stat().st_size > LARGEST:  # no runtime: a lock may name any file that the store has
        return
    data = held.read_bytes()
    try:
        with disk_errors(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, data)
    except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
        there = next(one for one in (path, *path.parents) if one.exists())
        raise HostError(
            "Freezer's runtime cannot be stored: something else is in its place",
            where=Where(str(there.relative_to(project.root))),
            found=error.strerror,
            hint="move it away",
        ) from None


def fetch_runtime(project: Project, lock: Lock) -> None:
    """Put the runtime that a lock names into the store: this version's, or the one that was kept.

    Where there is none, the step that needs it reports that. Raises ``IntegrityError`` when the
    only copy was edited.
    """
    store, sha256 = project.store, lock.inside.sha256
    if store.has(sha256):
        return
    if sha256 == inside_digest()[1]:
        store.put_bytes(inside_bytes())
        return
    edited = None
    for path in _places(project.root, lock):
        data = _read(path, sha256)
        if data is not None:
            store.put_bytes(data)
            return
        edited = edited or path
    if edited is not None:
        raise IntegrityError(
            "the stored copy of Freezer's runtime was edited",
            where=Where(str(edited.relative_to(project.root))),
            found=f"other bytes than those of freezer_inside {lock.inside.version}",
            expected=f"sha256 {sha256}, its name",
            hint="restore it from version control",
        )


def require_runtime(project: Project, lock: Lock) -> None:
    """Fetch the runtime that a lock names. Raises ``LockError`` where there is none."""
    fetch_runtime(project, lock)
    runtime_files(lock, project.store)


def runtime_fault(project: Project, lock: Lock) -> str | None:
    """Return why this Freezer cannot build with the runtime that a lock names; None when it can."""
    try:
        require_runtime(project, lock)
    except FreezerError as error:
        return error.what if error.where is None else f"{error.where}: {error.what}"
    return None


def _places(project: Path, lock: Lock) -> Iterator[Path]:
    """Yield the copies of the runtime, the environment's own first; others may have one."""
    own = project / LOCKS / lock.name / INSIDE / lock.inside.sha256
    others = sorted(project.glob(f"{LOCKS}/*/{INSIDE}/{lock.inside.sha256}"))
    yield from (path for path in dict.fromkeys([own, *others]) if path.is_file())


def _read(path: Path, sha256: str) -> bytes | None:
    """Return a file's bytes if they hash to that; None for all else."""
    try:
        if not path.is_file() or path.stat().st_size > LARGEST:
            return None
        data = path.read_bytes()
    except OSError:
        return None
    return data if digest(data) == sha256 else None

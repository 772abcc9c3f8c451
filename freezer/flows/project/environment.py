"""From a project's folder to the environment that a command is about: its spec and its lock.

A project holds ``images/<env>/freeze.yaml`` for each environment, or one ``freeze.yaml`` of its
own; locks are in ``lockfiles/<env>/`` next to them.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.errors import LockError, SpecError, Where
from freezer.frameworks import trainings
from freezer.history.files import read_regular
from freezer.model import file_names

if TYPE_CHECKING:
    from pathlib import Path

    from freezer.model.lock import Lock
    from freezer.model.spec.spec import Spec
    from freezer.model.yaml_document import Document

SPEC_FILE = file_names.SPEC_FILE
IMAGES = file_names.IMAGES
LOCKS = file_names.LOCKS
LOCK_FILE = file_names.LOCK_FILE
_LARGEST = 16 << 20
"""Bytes of a file that a spec names."""


@dataclass(frozen=True)
class Environment:
    """One environment of a project."""

    name: str
    spec: Spec
    document: Document
    """The spec's file with the line of every key, for messages."""
    shown: str
    """The spec's path as messages show it: relative to the project."""
    spec_folder: Path
    lock_folder: Path
    project: Path


@dataclass(frozen=True)
class Locked:
    """A lock as it is stored on disk."""

    lock: Lock
    id: str
    folder: Path


def environments(project: Path) -> dict[str, Path]:
    """Return the spec files of a project by environment folder or name, sorted."""
    found = {path.parent.name: path for path in sorted(project.glob(f"{IMAGES}/*/{SPEC_FILE}"))}
    own = project / SPEC_FILE
    return {"": own, **found} if own.is_file() else found


def environment_names(project: Path) -> list[str]:
    """Return the names of a project's environments. Raises ``SpecError`` for an unreadable spec."""
    return [
        name or load_spec_file(project, file).name for name, file in environments(project).items()
    ]


def load_environment(project: Path, name: str | None) -> Environment:
    """Return an environment by name; the only one where no name is given.

    Raises ``SpecError`` when there is none of that name, or several and none is named.
    """
    files = environments(project)
    if not files:
        raise SpecError(
            "there is no spec here",
            where=Where(str(project)),
            expected=f"{SPEC_FILE} or {IMAGES}/<env>/{SPEC_FILE}",
            hint="run `freeze init` to write one from what is here, or go to the project's folder",
        )
    if name is None and len(files) > 1:
        raise SpecError(
            "there are several environments here, and none was named",
            where=Where(str(project)),
            details=sorted(_names(files)),
            hint=f"give its name, for example `freeze lock {max(_names(files))}`",
        )
    if name is None:
        return load_spec_file(project, next(iter(files.values())))
    if name in files:
        return load_spec_file(project, files[name])
    if "" in files and (own := load_spec_file(project, files[""])).name == name:
        return own
    raise _unknown(name, environment_names(project), project)


def load_spec_file(project: Path, file: Path) -> Environment:
    """Return the environment of a spec's file. Raises ``SpecError``."""
    from freezer.model.spec import (
        validate as speccheck,  # where there is a lock, most commands need no spec
    )

    shown = str(file.relative_to(project))
    try:
        spec, document = speccheck.parse_spec(file.read_bytes(), shown, trainings())
    except OSError as error:
        raise SpecError(
            "the spec cannot be read", where=Where(shown), found=error.strerror
        ) from error
    if file.parent != project and file.parent.name != spec.name:
        raise SpecError(
            "the spec's name is not that of its folder",
            where=speccheck.place(document, shown, "name"),
            found=spec.name,
            expected=file.parent.name,
            hint="rename one of them; locks and images go by this name",
        )
    return Environment(
        name=spec.name,
        spec=spec,
        document=document,
        shown=shown,
        spec_folder=file.parent,
        lock_folder=project / LOCKS / spec.name,
        project=project,
    )


def _names(files: dict[str, Path]) -> list[str]:
    return [name or f"(the one in {SPEC_FILE})" for name in files]


def _unknown(name: str, known: list[str], project: Path) -> SpecError:
    near = difflib.get_close_matches(name, known, 1, 0.6)
    return SpecError(
        f"there is no environment {name!r} here",
        where=Where(str(project)),
        expected=f"one of: {', '.join(known)}",
        hint=f"did you mean {near[0]!r}?"
        if near
        else f"write {IMAGES}/{name}/{SPEC_FILE}, or run `freeze init`",
    )


def place(environment: Environment, *path: str | int) -> Where:
    """Return where in the spec's file a key stands."""
    from freezer.model.spec import validate as speccheck

    return speccheck.place(environment.document, environment.shown, *path)


def read_spec_file(environment: Environment, path: str, key: str) -> bytes:
    """Return a file that the spec names, relative to the spec.

    Raises ``SpecError`` when it cannot be read, is too large, or is a link that leads elsewhere.
    """
    where = place(environment, *key.split("."))
    file = environment.spec_folder / path
    try:
        if not file.resolve().is_relative_to(environment.spec_folder.resolve()):
            raise SpecError(
                f"{path} leads out of the spec's folder",
                where=where,
                hint="copy the file next to the spec",
            )
        if file.stat().st_size > _LARGEST:
            raise SpecError(
                f"{path} is too large to be copied into an image",
                where=where,
                expected=f"at most {_LARGEST >> 20} MiB",
            )
        return file.read_bytes()
    except OSError as error:
        raise SpecError(
            f"{path} cannot be read",
            where=where,
            found=error.strerror,
            hint="paths are relative to the spec",
        ) from error


def read_lock(project: Path, name: str) -> Locked | None:
    """Return an environment's lock; None when it has none. Raises ``LockError``."""
    from freezer.model.lockfile import lock_id, parse_lock  # some commands read no lock

    folder = project / LOCKS / name
    shown = f"{LOCKS}/{name}/{LOCK_FILE}"
    try:
        data = read_regular(folder, LOCK_FILE)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LockError(
            "the lock cannot be read", where=Where(shown), found=error.strerror
        ) from error
    lock = parse_lock(data, shown)
    if lock.name != name:
        raise LockError(
            "the lock is another environment's",
            where=Where(shown, key="name"),
            found=lock.name,
            expected=name,
            hint=f"restore the file, or run `freeze lock --upgrade {name}`",
        )
    return Locked(lock, lock_id(data), folder)


def load_locked(project: Path, name: str | None) -> Locked:
    """Return the lock that a command is about; the spec need not be there.

    Raises ``LockError`` when the environment has none, ``SpecError`` when none is named and it is
    not clear which is meant.
    """
    # A project that came as a bundle has locks and no specs.
    specs = environments(project)
    locks = [] if specs else sorted(p.parent.name for p in project.glob(f"{LOCKS}/*/{LOCK_FILE}"))
    if name is None and len(locks) == 1:
        name = locks[0]
    locked = read_lock(project, name) if name and _is_name(name) else None
    if locked is not None:
        return locked
    if name is not None and locks:
        raise _unknown(name, locks, project)
    environment = load_environment(project, name)
    locked = read_lock(project, environment.name)
    if locked is None:
        raise LockError(
            f"{environment.name} has no lock yet",
            where=Where(f"{LOCKS}/{environment.name}/{LOCK_FILE}"),
            hint=f"run `freeze lock {environment.name}`",
        )
    return locked


def _is_name(name: str) -> bool:
    return re.fullmatch(r"[a-z0-9]+([._-][a-z0-9]+)*", name) is not None

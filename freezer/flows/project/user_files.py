"""The user's own files that a lock pins: of the smoke training and of the steps.

No index has them. They are stored next to the spec, and every lock of the history keeps its own.
"""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from freezer.errors import SpecError
from freezer.flows.project.environment import IMAGES, LOCKS, place, read_spec_file
from freezer.model.canonical import digest
from freezer.model.lock import StepFile, Steps
from freezer.model.spec.faults import Faults

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from freezer.flows.project.environment import Environment
    from freezer.flows.project.project import Project
    from freezer.model.lock import Lock

_LEFT_OUT = frozenset({"__pycache__", ".git", ".hg", ".svn"})
_MOST = 2000
"""Files of one spec."""


def steps_plan(environment: Environment) -> tuple[Steps | None, dict[str, bytes]]:
    """Return the spec's own steps as the lock has them, and their files by path.

    Raises ``SpecError`` for a step of blanks, and for a file that cannot be read.
    """
    steps = environment.spec.steps
    if steps is None:
        return None, {}
    for number, command in enumerate(steps.run):
        if not command.strip():
            # `steps: [...]` and `steps: {run: [...]}` have their commands in different places.
            raise SpecError(
                f"step {number + 1} is empty",
                where=place(environment, "steps"),
                expected="a shell command",
                hint="remove it",
            )
    files = user_files(environment, steps.files, "steps")
    listed = tuple(
        StepFile(
            path=path,
            size=len(data),
            sha256=digest(data),
            executable=bool((environment.spec_folder / path).stat().st_mode & 0o100),
        )
        for path, data in sorted(files.items())
    )
    return Steps(run=steps.run, files=listed), files


def user_files(environment: Environment, patterns: Iterable[str], key: str) -> dict[str, bytes]:
    """Return the files that paths, folders and globs mean, by path relative to the spec.

    A folder stands for all files below it but byte code and version control. Raises ``SpecError``
    for all that is missing or cannot be read at once.
    """
    found, faults = dict[str, bytes](), Faults()
    for pattern in patterns:
        with faults.collect():
            for path in _expanded(environment, pattern, key):
                with faults.collect():
                    found[path] = read_spec_file(environment, path, key)
            if len(found) > _MOST:
                raise SpecError(
                    f"{pattern} stands for too many files",
                    where=place(environment, *key.split(".")),
                    expected=f"at most {_MOST} files in all",
                    hint="name the files that are needed; keep data in `data:`",
                )
    faults.require_none()
    return dict(sorted(found.items()))


def _expanded(environment: Environment, pattern: str, key: str) -> Iterator[str]:
    folder = environment.spec_folder
    path = folder / pattern
    if path.is_dir():
        yield from _required(_below(path, folder), pattern, "no file is in", environment, key)
    elif path.exists() or not set(pattern) & set("*?["):
        yield pattern
    else:
        found = (item.relative_to(folder).as_posix() for item in folder.glob(pattern)
                 if item.is_file() and not _LEFT_OUT & set(item.parts))  # fmt: skip
        yield from _required(found, pattern, "no file matches", environment, key)


def _below(path: Path, folder: Path) -> Iterator[str]:
    for above, folders, files in os.walk(path):
        folders[:] = sorted(set(folders) - _LEFT_OUT)
        for name in files:
            file = Path(above) / name
            if file.is_file() and not name.endswith(".pyc"):
                yield file.relative_to(folder).as_posix()


def _required(
    found: Iterable[str], pattern: str, lacks: str, environment: Environment, key: str
) -> list[str]:
    listed = sorted(islice(found, _MOST + 1))
    if not listed:
        raise SpecError(
            f"{lacks} {pattern}",
            where=place(environment, *key.split(".")),
            hint="paths are relative to the spec",
        )
    return listed


def fetch_user_files(project: Project, lock: Lock) -> None:
    """Put into the store what it lacks of a lock's own files, wherever the project has them.

    A file that is nowhere, or that was changed since, is missed by the step that needs it.
    """
    for file in lock.own_files:
        if project.store.has(file.sha256):
            continue
        for path in _places(project.root, lock, file.path, file.sha256):
            data = path.read_bytes() if path.is_file() else b""
            if len(data) == file.size and digest(data) == file.sha256:
                project.store.put_bytes(data)
                break


def _places(project: Path, lock: Lock, path: str, sha256: str) -> Iterator[Path]:
    yield project / IMAGES / lock.name / path
    yield project / path
    from freezer.history.archive import SMOKE
    from freezer.history.log import FOLDER

    yield from (project / LOCKS / lock.name / FOLDER).glob(f"*/{SMOKE}/{sha256}")

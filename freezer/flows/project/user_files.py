"""The user's own files that a lock pins: of the smoke training and of the steps.

No index has them. They lie beside the spec, and every lock of the history keeps its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.errors import SpecError
from freezer.flows.project.environment import IMAGES, LOCKS, place, read_spec_file
from freezer.history.archive import SMOKE
from freezer.history.log import FOLDER
from freezer.model.canonical import digest
from freezer.model.lock import StepFile, Steps

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from freezer.flows.project.environment import Environment
    from freezer.flows.project.project import Project
    from freezer.model.lock import Lock


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
    files = {path: read_spec_file(environment, path, "steps") for path in steps.files}
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
    yield from (project / LOCKS / lock.name / FOLDER).glob(f"*/{SMOKE}/{sha256}")

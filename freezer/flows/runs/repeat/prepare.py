"""Prepares a recorded run to be made again: its image, code, data and resources."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from freezer.errors import RunError, Where
from freezer.flows.project.environment import load_environment
from freezer.flows.runs.code import code_of
from freezer.flows.runs.folders import run_folder
from freezer.flows.runs.prepare import PreparedRun, not_code
from freezer.flows.runs.repeat.checkout import checked_out
from freezer.flows.runs.repeat.recorded import (
    as_it_was,
    recorded_image,
    recorded_lock,
    same_data,
)
from freezer.model.record.run import Digest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from freezer.flows.project.project import Project
    from freezer.flows.runs.code import Code
    from freezer.model.record.run import Run


@contextmanager
def prepare_again(
    project: Project,
    original: Run,
    patch: bytes,
    identifier: str,
    *,
    output: Path | None = None,
    tree_if_equal: bool = False,
) -> Iterator[PreparedRun]:
    """Yield everything that a recorded run was made of, for another run; then remove its checkout.

    With ``tree_if_equal`` the working tree is taken where its files are those that the run had.
    Raises ``RunError`` when its code or image cannot be had, ``DataError`` when its data changed.
    """
    output = (output or run_folder(project, identifier) / "output").absolute()
    if output.exists():
        raise RunError("the output folder exists already", where=Where(str(output)))
    sets = same_data(project, original)
    locked = recorded_lock(project, original)
    image = recorded_image(project, original, locked)
    environment = load_environment(project.root, original.environment)
    with ExitStack() as stack:
        found: tuple[Path, Code] | None = None
        if tree_if_equal:
            code = code_of(project.root, not_code(environment))
            wanted = original.fields.get("git.files")
            if isinstance(wanted, Digest) and code.files == wanted.text:
                found = project.root, code
        folder, code = found or stack.enter_context(
            checked_out(project, original, patch, identifier)
        )
        record = run_folder(project, identifier) / "record"
        for path in (output, record):
            path.mkdir(parents=True)
        prepared = PreparedRun(locked, environment, image, code, folder, sets, output, record)
        yield as_it_was(prepared, original)

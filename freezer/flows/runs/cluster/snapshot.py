"""The code of a run as its job finds it, however late it starts."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from freezer.errors import RunError, Where
from freezer.fetch.store.atomic import disk_errors
from freezer.flows.runs.code import is_secret_file
from freezer.flows.runs.folders import FOLDER
from freezer.flows.runs.repeat.checkout import checked_out

if TYPE_CHECKING:
    from collections.abc import Callable

    from freezer.flows.project.project import Project
    from freezer.flows.runs.prepare import PreparedRun
    from freezer.model.record.run import Run

MOST: Final = 256 << 20
"""Bytes of code without git that are copied."""


def put_code(project: Project, prepared: PreparedRun, run: Run, target: Path) -> None:
    """Put the code of a run into a new folder: its commit with the patch of the working tree.

    That is what is recorded, and what `freeze runs reproduce` checks out. Without git every file is
    copied but data sets, secrets and Freezer's records. Raises ``RunError``.
    """
    if prepared.code_folder != project.root:  # a checkout already
        _copy(prepared.code_folder, target)
        return
    if prepared.code.commit:
        with checked_out(project, run, prepared.code.patch, run.id) as (folder, _):
            _copy(folder, target)
        return
    apart = {Path(one.root) for one, _ in prepared.sets}
    size = _size(project.root, apart)
    if size > MOST:
        raise RunError(
            "the project is too large to be copied for a job",
            where=Where(str(project.root)),
            found=f"{size >> 20} MiB",
            expected=f"at most {MOST >> 20} MiB, or a git repository with a commit",
            hint="put the code under git: its commit and the changes since are copied then",
        )
    _copy(project.root, target, apart)


def _copy(source: Path, target: Path, apart: set[Path] | None = None) -> None:
    copy_tree(source, target, _Ignored(source, apart or set()))


def copy_tree(source: Path, target: Path, ignore: Callable[[str, list[str]], list[str]]) -> None:
    """Copy a folder, and links as links. Raises ``HostError`` and ``RunError``."""
    with disk_errors(target.parent):
        try:
            shutil.copytree(source, target, symlinks=True, ignore=ignore)
        except shutil.Error as error:  # of all files, without an error number
            path, _, why = error.args[0][0]
            raise RunError(
                "a file cannot be copied for the job",
                where=Where(str(path)),
                found=str(why),
                hint="nothing was submitted; make the file readable, or free some space",
            ) from None


class _Ignored:
    """Names that are not copied, by folder."""

    def __init__(self, root: Path, apart: set[Path]) -> None:
        self._root = root
        self._apart = apart

    def __call__(self, folder: str, names: list[str]) -> list[str]:
        return [name for name in names if self._is_ignored(Path(folder), name)]

    def _is_ignored(self, folder: Path, name: str) -> bool:
        if folder == self._root and name in {FOLDER, ".git"}:
            return True
        path = folder / name
        if is_secret_file(name) or path in self._apart:
            return True
        return not (path.is_symlink() or path.is_file() or path.is_dir())


def _size(root: Path, apart: set[Path]) -> int:
    ignored, total = _Ignored(root, apart), 0
    for folder, folders, names in os.walk(root):
        left_out = set(ignored(folder, [*folders, *names]))
        folders[:] = [one for one in folders if one not in left_out]
        for name in names:
            if name not in left_out:
                total += os.lstat(f"{folder}/{name}").st_size
        if total > MOST:
            break
    return total

"""A clean checkout of the code that a run had."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from freezer.errors import RunError
from freezer.fetch.http.secret_words import redact_text
from freezer.flows.runs.code import Code
from freezer.flows.runs.folders import run_folder
from freezer.model.record.run import Digest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freezer.flows.project.project import Project
    from freezer.model.record.run import Run


@contextmanager
def checked_out(
    project: Project, original: Run, patch: bytes, identifier: str
) -> Iterator[tuple[Path, Code]]:
    """Yield a temporary checkout of the run's commit with its patch applied."""
    commit = original.fields.get("git.commit")
    if not isinstance(commit, Digest):
        raise RunError(
            f"run {original.id} has no commit: its code was not in a git repository",
            hint="put the project under git: later runs can then be reproduced",
        )
    left_out = original.fields.get("git.left-out")
    if left_out:
        project.report.warn(f"not kept with the run, and missing now: {left_out}")
    top = Path(_git(project.root, "rev-parse", "--show-toplevel").decode().strip())
    folder = run_folder(project, identifier) / "code"
    try:
        _git(project.root, "worktree", "add", "--detach", "--force", str(folder), commit.text)
        _check_out_submodules(top, folder)
        if patch:
            _git(folder, "apply", "--index", "--whitespace=nowarn", data=patch)
        inner = folder / project.root.resolve().relative_to(top.resolve())
        if not inner.is_dir():
            raise RunError(f"commit {commit.text[:12]} has no folder {inner.relative_to(folder)}")
        files = original.fields.get("git.files", "")
        yield inner, Code(commit=commit.text, patch=patch, files=str(files))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(RunError):  # what is left of it in .git is removed by git's own housekeeping
            _git(project.root, "worktree", "prune")


def _check_out_submodules(top: Path, folder: Path) -> None:
    """Check out the submodules of a commit from the clones in the user's tree; fetch nothing."""
    listed = _git(folder, "ls-files", "--stage", "-z").decode("utf-8", "surrogateescape")
    for entry in listed.split("\0"):
        if not entry.startswith("160000 "):
            continue
        state, _, path = entry.partition("\t")
        commit, clone = state.split()[1], top / path
        if not (clone / ".git").exists():
            continue  # it was not there for the run either
        (folder / path).mkdir(parents=True, exist_ok=True)
        _git(folder, "clone", "-q", "--shared", "--no-checkout", str(clone), path)
        _git(folder / path, "checkout", "-q", "--detach", commit)
        _check_out_submodules(clone, folder / path)


_PLAIN: Final = ("-c", "core.hooksPath=/dev/null", "-c", "protocol.file.allow=always")


def _git(folder: Path, *arguments: str, data: bytes = b"") -> bytes:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *_PLAIN, *arguments],
            check=False,
            capture_output=True,
            input=data,
            timeout=300,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise RunError("git cannot be run", found=str(error)) from None
    if done.returncode != 0:
        raise RunError(
            f"git could not {arguments[0]} the code of the run",
            found=redact_text(done.stderr.decode("utf-8", "replace").strip())[-500:],
            hint="fetch the commit, if it is on another branch or host",
        )
    return done.stdout

"""``freeze hook``: what is checked before a commit, and the git hook that asks for it."""

from __future__ import annotations

import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from freezer.errors import FreezerError, HostError, Where
from freezer.fetch.store.atomic import disk_errors, write_atomically
from freezer.flows.project.environment import (
    IMAGES,
    LOCKS,
    SPEC_FILE,
    environments,
    load_spec_file,
)
from freezer.flows.project.git import place_in_repository

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from freezer.flows.project.environment import Environment
    from freezer.flows.project.project import Project

Part = Literal["lock", "policy"]
POLICY_FILE: Final = "policy.yaml"
FILES: Final = r"^(images/|lockfiles/|freeze\.yaml$|policy\.yaml$)"
"""Files whose change a hook is about, as pre-commit takes it."""
KEPT: Final = "pre-commit.before-freezer"
_MARK: Final = "# Written by `freeze hook install`."
_PATIENCE: Final = 30.0


@dataclass(frozen=True)
class Installed:
    """A git hook that asks Freezer before each commit."""

    path: Path
    already: bool
    """Whether it was there, with the same bytes."""
    kept: Path | None
    """Where another hook is now, that was there before."""


@dataclass(frozen=True)
class Problem:
    """Why a commit is refused."""

    environment: str
    text: str


@dataclass(frozen=True)
class HookRun:
    """What was looked at before a commit."""

    environments: tuple[str, ...]
    """Those with staged files."""
    problems: tuple[Problem, ...]


def install_hook(project: Project, *, force: bool = False) -> Installed:
    """Write the repository's pre-commit hook. Raises ``HostError``.

    Another hook is left alone, unless ``force``: then it is kept under another name.
    """
    folder, top = _repository(project)
    path = _hooks(top) / "pre-commit"
    data = _script(folder)
    present = path.read_bytes() if path.is_file() else None
    if present == data:
        return Installed(path, already=True, kept=None)
    kept = None
    if present is not None and _MARK.encode() not in present:
        if not force:
            raise HostError(
                "there is another pre-commit hook",
                where=Where(str(path)),
                hint=f"add the line `{_command(folder)}` to it, use pre-commit "
                "(`freeze hook show`), or give --force, which keeps it under another name",
            )
        kept = path.with_name(KEPT)
        if kept.exists():
            raise HostError(
                "another hook was kept before", where=Where(str(kept)), hint="move it away first"
            )
    with disk_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        if kept is not None:
            path.rename(kept)
        write_atomically(path, data)
        path.chmod(0o755)
    return Installed(path, already=False, kept=kept)


def pre_commit_entry(project: Project) -> str:
    """Return the entry for ``.pre-commit-config.yaml``."""
    folder, _ = place_in_repository(project.root)
    files = FILES if not folder else FILES.replace("^(", f"^{folder.replace('.', '[.]')}/(")
    return f"""\
repos:
  - repo: local
    hooks:
      - id: freeze
        name: locks satisfy their specs, and the policy
        entry: {_command(folder)}
        language: system
        pass_filenames: false
        files: {files}
"""


def run_hook(project: Project, part: Part | None = None) -> HookRun:
    """Compare environments with staged files with their specs, and with the policy.

    Raises ``HostError`` outside of a repository.
    """
    _repository(project)
    staged = set(_paths(project, "diff", "--cached", "--name-only", "--no-renames", "--relative"))
    found, problems = _environments(project, staged)
    policy = POLICY_FILE in staged
    touched = [name for name, one in found.items() if any(_own(one, staged))]
    problems += list(_unstaged(project, [found[name] for name in touched], policy=policy))
    if part != "policy":
        problems += [problem for name in touched for problem in _lock(project, name)]
    if part != "lock" and (project.root / POLICY_FILE).exists():
        asked = sorted(found) if policy else touched
        problems += [problem for name in asked for problem in _policy(project, name)]
    return HookRun(tuple(touched), tuple(problems))


def _environments(
    project: Project, staged: set[str]
) -> tuple[dict[str, Environment], list[Problem]]:
    """Return the environments by name, and what is wrong with staged specs."""
    found, problems = {}, []
    for name, file in environments(project.root).items():
        try:
            one = load_spec_file(project.root, file)
            found[one.name] = one
        except FreezerError as error:
            if str(file.relative_to(project.root)) in staged:
                problems.append(Problem(name or SPEC_FILE, str(error)))
    return found, problems


def _own(environment: Environment, paths: Iterable[str]) -> Iterator[str]:
    """Yield the paths that belong to an environment."""
    spec, name = environment.spec, environment.name
    own = environment.spec_folder == environment.project
    files = {SPEC_FILE, *spec.pip.files, *([spec.conda.file] if spec.conda else [])}
    for path in paths:
        if path.startswith((f"{LOCKS}/{name}/", f"{IMAGES}/{name}/")) or (own and path in files):
            yield path


def _unstaged(project: Project, touched: list[Environment], *, policy: bool) -> Iterator[Problem]:
    """Yield files that are checked as they are in the folder, and would be committed otherwise."""
    if not touched and not policy:
        return
    changed = [
        *_paths(project, "diff", "--name-only", "--relative"),
        *_paths(project, "ls-files", "--others", "--exclude-standard"),
    ]
    for environment in touched:
        for path in sorted(_own(environment, changed)):
            yield Problem(environment.name, f"{path} has changes that are not staged: `git add` it")
    if POLICY_FILE in changed:
        yield Problem(POLICY_FILE, f"{POLICY_FILE} has changes that are not staged: `git add` it")


def _lock(project: Project, name: str) -> Iterator[Problem]:
    from freezer.flows.lock.lock import check_lock

    try:
        check_lock(project, name)
    except FreezerError as error:
        yield Problem(name, str(error))


def _policy(project: Project, name: str) -> Iterator[Problem]:
    from freezer.flows.governance.policy import check_policy, violation_line

    try:
        result = check_policy(project, [name])
    except FreezerError as error:
        yield Problem(name, str(error))
        return
    for one in result.environments:
        for violation in one.violations:
            if violation.breaks:
                yield Problem(name, f"policy: {violation_line(violation)}; {violation.hint}")


def _repository(project: Project) -> tuple[str, Path]:
    if not _git(project.root, "rev-parse", "--is-inside-work-tree"):
        raise HostError(
            "this folder is in no git repository",
            where=Where(str(project.root)),
            hint="run `git init`, or go to a folder of a repository",
        )
    return place_in_repository(project.root)


def _hooks(top: Path) -> Path:
    """Return the folder of hooks. Raises ``HostError`` where other repositories share it."""
    path = Path(_git(top, "rev-parse", "--path-format=absolute", "--git-path", "hooks").strip())
    common = Path(_git(top, "rev-parse", "--path-format=absolute", "--git-common-dir").strip())
    if not path.is_absolute():
        raise HostError("git does not say where its hooks are", hint="use git 2.31 or later")
    if not any(path.resolve().is_relative_to(one.resolve()) for one in (common, top)):
        raise HostError(
            "the hooks of this repository are shared with others (core.hooksPath)",
            where=Where(str(path)),
            hint="call `freeze hook run` in the hook there, or use pre-commit (`freeze hook show`)",
        )
    return path


def _script(folder: str) -> bytes:
    own = Path(sys.executable).with_name("freeze")
    return f"""\
#!/bin/sh
{_MARK}
FREEZE={shlex.quote(str(own))}
[ -x "$FREEZE" ] || FREEZE=freeze
exec "$FREEZE"{_place(folder)} hook run
""".encode()


def _command(folder: str) -> str:
    return f"freeze{_place(folder)} hook run"


def _place(folder: str) -> str:
    return f" -C {shlex.quote(folder)}" if folder else ""


def _paths(project: Project, *arguments: str) -> list[str]:
    command, *rest = arguments
    return [one for one in _git(project.root, command, "-z", *rest).split("\0") if one]


def _git(folder: Path, *arguments: str) -> str:
    """Return what git says; nothing where it refuses. Git's variables are those of the hook."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            check=False, capture_output=True, stdin=subprocess.DEVNULL, timeout=_PATIENCE,
        )  # fmt: skip
    except FileNotFoundError:
        raise HostError("git is not installed", hint="install git") from None
    except (OSError, subprocess.SubprocessError) as error:
        raise HostError("git cannot be asked", found=str(error)) from None
    return done.stdout.decode(errors="surrogateescape") if done.returncode == 0 else ""

"""``freeze ci``: what a workflow says, by options, the project, and the file that is there."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final, Literal

from freezer import __version__
from freezer.errors import HostError, SpecError, Where
from freezer.fleet.target import parse_target
from freezer.flows.project.environment import environment_names, load_environment
from freezer.flows.project.git import place_in_repository

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from freezer.flows.project.project import Project

System = Literal["github", "gitlab"]
FILES: Final[dict[System, str]] = {
    "github": ".github/workflows/freezer.yml",
    "gitlab": ".gitlab/freezer.yml",
}
"""Where a workflow usually is, from the top of the repository."""
LARGEST: Final = 1 << 20
"""Bytes of a workflow that is read."""
MOST_RUNS: Final = 1000
"""Runs that a schedule may make again."""
POLICY_FILE: Final = "policy.yaml"
_OPTIONS: Final = re.compile(r"^# Options: (\{.*\})$", re.MULTILINE)
_ACTION: Final = re.compile(r"^\s*- uses: ([\w.-]+/[\w./-]+)@(\S+)(?: +# (\S+))?\s*$", re.MULTILINE)
_IMAGE: Final = re.compile(r"^\s*(?:image|- name): ([\w./:-]+?)(?:@(\S+))?\s*$", re.MULTILINE)
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_BRANCH: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,99}")
_VARIABLE: Final = re.compile(r"[A-Z_][A-Z0-9_]{0,99}")
_PATH: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/-]{0,199}")
_LABELS: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}(,[A-Za-z0-9_.-]{1,64}){0,9}")
_CRON: Final = re.compile(r"[0-9*/,-]+( [0-9A-Za-z*/,-]+){4}")


@dataclass(frozen=True)
class Options:
    """What a user decides; kept in the workflow, so that it can be written again."""

    environments: tuple[str, ...] = ()
    """Empty: all of the project."""
    install: str = f"freezer-ml=={__version__}"
    """What ``pip install`` is given."""
    branch: str = "main"
    """Whose pushes are verified; GitHub alone, GitLab knows its default branch."""
    schedule: str = "17 3 * * 1"
    """Five fields of cron in UTC; GitHub alone, GitLab's schedules are set in its pages."""
    runs: str | None = None
    """An export of runs in the repository, which the schedule samples."""
    secret: str | None = None
    """The variable of the CI system that the ledger's address takes its password from."""
    sample: int = 3
    """Runs that the schedule makes again."""
    cluster: str | None = None
    """The partition that is checked each night, such as ``slurm:gpu``."""
    runner: str = "slurm"
    """Labels (GitHub) or tags (GitLab) of the self-hosted runner on a login node of the cluster."""
    nightly: str = "43 1 * * *"
    """When the cluster is checked, as ``schedule``; GitHub alone."""


@dataclass(frozen=True)
class Workflow:
    """What a rendered workflow depends on."""

    system: System
    options: Options
    environments: tuple[str, ...]
    folder: str
    """The project's folder in its repository; empty at the top."""
    file: str
    """The workflow's path from the project's folder."""
    has_policy: bool
    pins: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """What the file that is there pins: action or image to commit or digest, and version."""
    unpinned: tuple[str, ...] = ()
    """What the file that is there names without a full commit or digest."""
    before: str | None = None
    """The file that is there; None where there is none."""

    @property
    def needs_files(self) -> bool:
        """Whether what pip installs is named by files of the repository."""
        words = shlex.split(self.options.install)
        return any(word.startswith(("-", ".", "/")) for word in words)


def plan_workflow(
    project: Project,
    system: System,
    given: Mapping[str, Any],
    path: Path | None,
    *,
    fresh_pins: bool = False,
) -> Workflow:
    """Return what the workflow of a project depends on.

    ``given`` are options; what is not given stays as the file at ``path`` has it (by default the
    usual one). Pins of that file are kept, since Dependabot and Renovate move them, unless
    ``fresh_pins``. Raises ``SpecError`` for an option or a file that cannot be used.
    """
    folder, top = place_in_repository(project.root)
    target = path if path is not None else top / FILES[system]
    before = _read(target)
    options = replace(_recorded(before, str(target)), **given)
    _require_usable(options)
    names = _environments(project, options)
    pins, unpinned = _pins(before or "")
    return Workflow(
        system=system,
        options=options,
        environments=tuple(sorted(names)),
        folder=folder,
        file=_relative(target, project.root, top, folder),
        has_policy=(project.root / POLICY_FILE).exists(),
        pins={} if fresh_pins else pins,
        unpinned=() if fresh_pins else unpinned,
        before=before,
    )


def _environments(project: Project, options: Options) -> list[str]:
    """Return the environments that a workflow is for. Raises ``SpecError``."""
    names = list(options.environments) or environment_names(project.root)
    if not names:
        load_environment(project.root, None)  # raises: there is no spec
    for name in options.environments:
        load_environment(project.root, name)
    return names


def options_line(options: Options) -> str:
    """Return the comment that keeps options; those of their default value are left out."""
    default = asdict(Options())
    changed = {name: value for name, value in asdict(options).items() if value != default[name]}
    changed["install"] = options.install  # a newer Freezer is installed where somebody says so
    return f"# Options: {json.dumps(changed, sort_keys=True, ensure_ascii=False)}"


def _read(path: Path) -> str | None:
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise ValueError
        return data.decode()
    except FileNotFoundError:
        return None
    except ValueError:
        raise SpecError(
            "this is no workflow", where=Where(str(path)), expected="text of at most 1 MiB"
        ) from None
    except OSError as error:
        raise HostError(
            "the workflow cannot be read", where=Where(str(path)), found=error.strerror
        ) from None


def _recorded(text: str | None, shown: str) -> Options:
    """Return the options that a file was written with; the defaults where it has none."""
    match = _OPTIONS.search(text or "")
    if match is None:
        return Options()
    try:
        found = json.loads(match[1])
        values: dict[str, Any] = {one.name: _value(found, one.name) for one in fields(Options)}
        return Options(**values)
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise SpecError(
            "the options in this workflow cannot be read",
            where=Where(shown, line=(text or "")[: match.start()].count("\n") + 1),
            hint="restore the line, or remove it to start from the defaults",
        ) from None


def _value(found: dict[str, Any], name: str) -> Any:
    """Return an option as a file has it, or its default. Raises ``TypeError`` for another type."""
    default = getattr(Options(), name)
    value = found.get(name, default)
    if isinstance(default, tuple) and isinstance(value, list):
        value = tuple(str(one) for one in value)
    if value is not default and type(value) is not type("" if default is None else default):
        raise TypeError(name)
    return value


def _pins(text: str) -> tuple[dict[str, tuple[str, str]], tuple[str, ...]]:
    """Return what a file pins, and what of it is not pinned by a full commit or digest."""
    pins: dict[str, tuple[str, str]] = {}
    unpinned = []
    for name, commit, version in _ACTION.findall(text):
        if _COMMIT.fullmatch(commit):
            pins[name] = (commit, version)
        else:
            unpinned.append(f"{name}@{commit}")
    for name, digest in _IMAGE.findall(text):
        if ":" not in name:
            continue  # a step's name
        if _DIGEST.fullmatch(digest):
            pins[name] = (digest, "")
        else:
            unpinned.append(name)
    return pins, tuple(dict.fromkeys(unpinned))


def _relative(path: Path, project: Path, top: Path, folder: str) -> str:
    """Return the workflow's path as a command in the project's folder names it."""
    resolved, root = path.resolve(), project.resolve()
    if resolved.is_relative_to(root):
        return str(resolved.relative_to(root))
    if resolved.is_relative_to(top.resolve()):
        return "../" * len(PurePath(folder).parts) + str(resolved.relative_to(top.resolve()))
    return path.name


def _require_usable(options: Options) -> None:
    """Raise ``SpecError`` for a value that a workflow cannot hold."""
    patterns = {
        "branch": (_BRANCH, "a branch such as main"),
        "schedule": (_CRON, 'five fields of cron, such as "17 3 * * 1"'),
        "runs": (_PATH, "a file of the repository, such as runs.json"),
        "nightly": (_CRON, 'five fields of cron, such as "43 1 * * *"'),
        "runner": (_LABELS, "labels of a runner, joined by commas, such as slurm"),
        "secret": (_VARIABLE, "a variable's name, such as FREEZER_LEDGER_PASSWORD"),
    }
    for name, (pattern, expected) in patterns.items():
        value = getattr(options, name)
        if value is not None and not pattern.fullmatch(value):
            raise _unusable(name, value, expected)
    try:
        words = shlex.split(options.install)
    except ValueError:
        words = []
    if not words or not options.install.isprintable() or "${{" in options.install:
        raise _unusable("install", options.install, "what pip installs, such as freezer-ml==0.1.0")
    if not 1 <= options.sample <= MOST_RUNS:
        raise _unusable("sample", str(options.sample), f"a number from 1 to {MOST_RUNS}")
    if options.cluster is not None:
        parse_target(options.cluster)
    if options.cluster is not None and options.nightly == options.schedule:
        raise SpecError(
            "--nightly and --schedule are the same", hint="by its time a job knows what it is for"
        )
    if options.runs and options.secret:
        raise SpecError(
            "--runs and --ledger-secret exclude each other",
            hint="the runs are in an export, or in the database that the configuration names",
        )


def _unusable(name: str, value: str, expected: str) -> SpecError:
    option = f"--{'ledger-secret' if name == 'secret' else name}"
    return SpecError(f"{option} cannot be used", found=repr(value)[:120], expected=expected)
